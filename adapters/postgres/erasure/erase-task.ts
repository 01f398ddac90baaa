import { sql } from 'kysely';
import type { TaskOwner } from '../../../contract/ports/index.ts';
import type { Scope } from '../../../contract/references.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import { listConnectedMessages } from '../messages/connected-messages.ts';
import { eraseTasks } from './erase-tasks.ts';
import { hideBelow } from './hide-below.ts';
import { removeWithContents } from './unused-contents.ts';

/**
 * Removes the content of a task outside of conversations that has ended. Safe to repeat after an interruption: the
 * messages go first, because the rows of the task's model calls lead to them.
 *
 * Tasks of one subject with the same question share their first messages. Those that another task uses stay. There may
 * be thousands of such tasks, of a schedule for example: their messages are not looked at.
 *
 * A task is erased once more when an answer came after its first erasure. Its row no longer says which question it had,
 * and that answer's message leads to the question of other tasks.
 */
export async function eraseTask(db: Database, task: TaskOwner): Promise<void> {
  // Again: the process that hid the task may have ended before it hid what the task had delegated.
  await hideBelow(db, [task.taskId]);
  const heads = await listHeads(db, task);
  const connected = (await mayBeShared(db, task))
    ? undefined
    : await listConnectedMessages(db, task, sql`select unnest(${heads}::text[])`);
  const own = await listOwnMessages(db, task);
  // No contents, but their lock: a new task with the same question waits for it.
  await removeWithContents(db, task, async (trx) => {
    if (connected && !(await mayBeShared(trx, task))) await deleteMessages(trx, task, connected);
    else await deleteUnusedMessages(trx, task, own);
    return [];
  });
  await eraseTasks(db, task, [task.taskId], heads);
}

/** The heads of the chains of a task: its question, the responses to its model calls, and what has steered it. */
async function listHeads(db: Database, { taskId }: TaskOwner): Promise<string[]> {
  const { rows } = await sql<{ hash: string }>`
    select input_head as hash from tasks where id = ${taskId}::uuid
    union select head from model_calls where task_id = ${taskId}::uuid and head is not null
    union select head from task_steering where task_id = ${taskId}::uuid`.execute(db);
  return rows.map(({ hash }) => hash);
}

/** Whether a task that is not deleted begins with the same message. An erased task no longer knows its own. */
async function mayBeShared(trx: Database, { taskId, tenant, subject }: TaskOwner): Promise<boolean> {
  const inputHead = sql`(select input_head from tasks where id = ${taskId}::uuid)`;
  const { rows } = await sql`
    select where ${inputHead} = '' or exists (
      select from tasks t where t.tenant = ${tenant} and t.subject = ${subject} and t.erased_at is null
        and t.input_head = nullif(${inputHead}, ''))`.execute(trx);
  return rows.length > 0;
}

const deleteMessages = (trx: Database, { tenant, subject }: Scope, hashes: string[]) =>
  sql`delete from messages where tenant = ${tenant} and subject = ${subject} and hash = any(${hashes}::text[])`.execute(
    trx,
  );

/** Whether another task has a call whose response is this message. */
const isNamedByOthers = ({ taskId, tenant, subject }: TaskOwner, hash: string) => sql`exists (
  select from model_calls o join tasks t on t.id = o.task_id
  where o.head = ${sql.ref(hash)} and t.tenant = ${tenant} and t.subject = ${subject} and t.id <> ${taskId}::uuid)`;

/** The messages up to the task's responses, and those after responses that only this task got. */
async function listOwnMessages(db: Database, task: TaskOwner): Promise<string[]> {
  const { taskId, tenant, subject } = task;
  const isOfSubject = sql`m.tenant = ${tenant} and m.subject = ${subject}`;
  const { rows } = await sql<{ hash: string }>`
    with recursive heads as (
      select distinct c.head as hash, ${isNamedByOthers(task, 'c.head')} as is_shared
      from model_calls c where c.task_id = ${taskId}::uuid and c.head is not null
      union select s.head, false from task_steering s where s.task_id = ${taskId}::uuid
    ), before (hash) as (
      select hash from heads
      union
      select p.hash from before b cross join lateral (
        select coalesce(m.parent, m.body->>'from') as hash from messages m where ${isOfSubject} and m.hash = b.hash) p
      where p.hash is not null
    ), after (hash) as (
      select hash from heads where not is_shared
      union
      select n.hash from after a cross join lateral (
        select m.hash from messages m where ${isOfSubject} and m.parent = a.hash
        union all select m.hash from messages m where ${isOfSubject} and m.body->>'from' = a.hash) n
    )
    select hash from before union select hash from after`.execute(db);
  return rows.map(({ hash }) => hash);
}

/**
 * Deletes those of the messages that no other task names, and that do not lead to a message which stays.
 *
 * Each branch looks one message up in an index, as `limit` makes sure of.
 */
async function deleteUnusedMessages(trx: Database, task: TaskOwner, own: string[]): Promise<void> {
  const { taskId, tenant, subject } = task;
  await sql`
    with recursive own (hash) as materialized (
      select unnest(${own}::text[])
    ), named (hash) as (
      select o.hash from own o cross join lateral (
        select from tasks t where t.tenant = ${tenant} and t.subject = ${subject} and t.input_head = o.hash
          and t.erased_at is null limit 1) by_task
      union all
      select o.hash from own o cross join lateral (
        select from model_calls c join tasks t on t.id = c.task_id
        where c.head = o.hash and t.tenant = ${tenant} and t.subject = ${subject} and t.id <> ${taskId}::uuid limit 1) by_call
      union all
      select o.hash from own o cross join lateral (
        select from messages n where n.tenant = ${tenant} and n.subject = ${subject} and n.parent = o.hash
          and n.hash not in (select hash from own) limit 1) by_next
      union all
      select o.hash from own o cross join lateral (
        select from messages n where n.tenant = ${tenant} and n.subject = ${subject} and n.body->>'from' = o.hash
          and n.hash not in (select hash from own) limit 1) by_summary
    ), kept (hash) as (
      select hash from named
      union
      select p.hash from kept k cross join lateral (
        select coalesce(m.parent, m.body->>'from') as hash from messages m
        where m.tenant = ${tenant} and m.subject = ${subject} and m.hash = k.hash) p
      where p.hash is not null
    )
    delete from messages m where m.tenant = ${tenant} and m.subject = ${subject} and m.hash = any(${own}::text[])
      and m.hash not in (select hash from kept)`.execute(trx);
}
