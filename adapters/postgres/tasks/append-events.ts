import { sql, type RawBuilder } from 'kysely';
import { taskEventsChannel } from '../../../contract/ids.ts';
import type { NewTaskEvent } from '../../../contract/events.ts';
import type { BudgetLimits, TaskRef } from '../../../contract/references.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import { storableJson } from '../storable-json.ts';
import { assignments, withQueries, type Columns, type Queries } from '../with-queries.ts';
import { unflushedText } from './unflushed-text.ts';

type TaskChange = {
  events: NewTaskEvent[];
  /** The condition for the change. Postgres checks it again after it has waited for the row's lock. */
  when?: RawBuilder<unknown>;
  /** Columns of the task to set, beside `last_seq` and `updated_at`. */
  set?: Columns<'tasks'>;
  /** Queries before the change; `when` may ask whether they wrote a row. */
  before?: Queries;
  /** Queries after the change; they may use `task`, the changed row, which is empty when the condition did not hold. */
  after?: Queries;
  /**
   * Appends no events to a task that has ended, so that its
   * last event stays the last. The row is changed all the same.
   */
  silentAfterEnd?: boolean;
  /**
   * Streamed text: the commit does not wait for the disk and notifies no
   * follower; see `unflushedText` and `createTextNotifier`.
   */
  isText?: boolean;
};

type Appended = { last_seq: number; budget: BudgetLimits; conversation_id: string | null };
type Owner = Pick<TaskRef, 'taskId' | 'tenant' | 'subject'>;

/**
 * Changes a task's row and appends events in one statement: one round trip,
 * one transaction. The row's lock keeps the sequence numbers without gaps.
 *
 * Events of a conversation's task are numbered in the conversation too. Every
 * transaction that locks both rows locks the task first, then the conversation.
 *
 * @returns the row's newest sequence number and budget, or undefined when the condition did not hold
 */
export async function appendEvents(db: Database, task: Owner, change: TaskChange): Promise<Appended | undefined> {
  while (true) {
    const unflushed = unflushedText.get(task.taskId);
    // Asked before, because other queries of the statement take effect also when the task's row stays as it is.
    if (unflushed && !change.isText) await storeAgain(db, task, unflushed);
    const appended = await writeEvents(db, task, change, change.isText ? (unflushed?.lastSeq ?? null) : null);
    if (!appended && unflushed && change.isText && (await storeAgain(db, task, unflushed))) continue;
    if (!change.isText || !appended) unflushedText.forget(task.taskId);
    return appended;
  }
}

/** @param leastSeq nothing is changed while the row of an open task has a lower number: Postgres has lost events */
async function writeEvents(
  db: Database,
  { taskId, tenant, subject }: Owner,
  { events, when = sql`true`, set = {}, before = {}, after = {}, silentAfterEnd = false, isText = false }: TaskChange,
  leastSeq: number | null,
): Promise<Appended | undefined> {
  const types = events.map(({ type }) => type);
  const data = events.map((event) => storableJson(event.data));
  const number = sql`${events.length}::int`;
  const mayAppend = silentAfterEnd ? sql`task.ended_at is null` : sql`true`;
  const columns = {
    last_seq: silentAfterEnd
      ? sql`last_seq + case when ended_at is null then ${number} else 0 end`
      : sql`last_seq + ${number}`,
    updated_at: sql`now()`,
    ...set,
  };
  const queries = {
    ...before,
    task: sql`
      update tasks set ${assignments(columns)}
      where id = ${taskId} and tenant = ${tenant} and subject = ${subject} and ${when}
        and (${leastSeq}::int is null or last_seq >= ${leastSeq}::int or ended_at is not null)
      returning id, last_seq, budget, ended_at, conversation_id`,
    conversation: sql`
      update conversations c set last_seq = c.last_seq + ${number}, updated_at = now()
      from task where c.id = task.conversation_id and ${mayAppend}
      returning c.id, c.last_seq, task.id as task_id, task.last_seq as task_seq`,
    inserted: sql`
      insert into task_events (task_id, seq, conversation_seq, type, data)
      select task.id, task.last_seq - ${number} + e.ordinality, c.last_seq - ${number} + e.ordinality, e.type, e.data
      from unnest(${types}::text[], ${data}::jsonb[]) with ordinality as e (type, data, ordinality),
        task left join conversation c on true
      where ${mayAppend}`,
    mirrored: sql`
      insert into conversation_events (conversation_id, seq, task_id, task_seq)
      select c.id, c.last_seq - n, c.task_id, c.task_seq - n
      from conversation c, generate_series(0, ${number} - 1) n`,
    ...after,
  };
  // `npm start` sets `alfred.text_commit=on`: there everything may be killed at once.
  const effect = isText
    ? sql`set_config('synchronous_commit', coalesce(nullif(current_setting('alfred.text_commit', true), ''), 'off'), true)`
    : sql`pg_notify(${taskEventsChannel}, id::text || case when ended_at is null then '' else ' end' end),
        (select pg_notify(${taskEventsChannel}, c.id) from conversation c)`;
  const { rows } = await sql<Appended>`
    ${withQueries(queries)}
    select last_seq, budget, conversation_id, ${effect} from task`.execute(db);
  return rows[0];
}

/**
 * Stores the text pieces again that a crash of Postgres took back.
 *
 * @returns false when the row has all of them
 */
async function storeAgain(
  db: Database,
  task: Owner,
  { lastSeq, pieces }: NonNullable<ReturnType<typeof unflushedText.get>>,
): Promise<boolean> {
  const row = await db
    .selectFrom('tasks')
    .select('last_seq')
    .where('id', '=', task.taskId)
    .where('ended_at', 'is', null)
    .executeTakeFirst();
  if (!row || row.last_seq >= lastSeq) return false;
  const lost = pieces.filter(({ seq }) => seq > row.last_seq).map(({ event }) => event);
  // When another process has appended meanwhile, the caller's next attempt finds out.
  await writeEvents(db, task, { events: lost, when: sql`last_seq = ${row.last_seq} and ended_at is null` }, null);
  return true;
}
