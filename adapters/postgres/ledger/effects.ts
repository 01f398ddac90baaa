import { sql, type RawBuilder } from 'kysely';
import { AlfredError } from '../../../contract/errors.ts';
import type { JsonValue } from '../../../contract/json.ts';
import type { Scope, TaskRef } from '../../../contract/references.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import type { Effects, ToolCallKey, UndoState } from '../../../contract/ports/index.ts';
import { addCancelNote } from '../tasks/cancel-note.ts';
import { appendEvents } from '../tasks/append-events.ts';
import { isOpenFor } from '../tasks/reopen.ts';
import { storableText } from '../storable-json.ts';

/**
 * Receipts of effects. `left_at` is when the request of a call was sent, `undo_left_at` when
 * that of its undo was; both are null again when the request is known to have changed nothing.
 */
export const createEffects = (db: Database): Effects => ({
  async claimSend({ taskId }, { runId }, call, again) {
    const { rows } = await sql`
      update tool_calls c set left_at = now() from tasks t
      where ${isCall(taskId, call)} and c.result_hash is null and (c.left_at is null or ${again}::boolean)
        and t.id = c.task_id and t.ended_at is null and t.run_id = ${runId}
      returning c.call_id`.execute(db);
    if (rows.length > 0) return;
    if (!(await isOpenFor(db, taskId, runId))) throw new AlfredError('superseded', 'The task had ended.');
    throw alreadySent();
  },

  async recordNoEffect({ taskId }, call, of) {
    await (
      of === 'call'
        ? sql`update tool_calls c set left_at = null where ${isCall(taskId, call)} and c.result_hash is null`
        : sql`update tool_calls c set undo_left_at = null where ${isCall(taskId, call)} and c.undo_state = 'begun'`
    ).execute(db);
  },

  planUndo: (task) => planUndo(db, task),

  requestUndo: (scope, taskId) => requestUndo(db, scope, taskId),

  async markLateUndo({ taskId, tenant, subject }) {
    const asked = sql`t.id = ${taskId} and t.status <> 'cancelled' and t.cancel_request @> '{"undo": true}' and exists (
      select from tasks a where a.id = any(t.ancestors) and a.ended_at is not null)`;
    return (await markForUndo(db, { tenant, subject }, asked)).length > 0;
  },

  listBegunUndos: ({ taskId }) => selectSentCalls(db, taskId).where('undo_state', '=', 'begun').execute(),

  listUndoing: (page) => listUndoing(db, page),

  async beginUndo({ taskId, tenant, subject }, call) {
    const { rows } = await sql<{
      tool: string;
      input: JsonValue;
      output: string | null;
      undo_state: string;
      undo_left_at: Date | null;
    }>`
      with begun as (
        update tool_calls c set undo_state = coalesce(c.undo_state, 'begun') where ${isCall(taskId, call)}
        returning c.tool, c.input, c.is_error, coalesce(c.full_hash, c.result_hash) as hash, c.undo_state, c.undo_left_at
      )
      select b.tool, b.input, b.undo_state, b.undo_left_at,
        case when not b.is_error then convert_from(o.bytes, 'UTF8') end as output
      from begun b left join contents o on o.tenant = ${tenant} and o.subject = ${subject} and o.hash = b.hash`.execute(
      db,
    );
    const [row] = rows;
    if (!row || row.undo_state !== 'begun') return undefined;
    const output = row.output === null ? undefined : (JSON.parse(row.output) as JsonValue);
    return { tool: row.tool, input: row.input, output, sent: row.undo_left_at !== null };
  },

  async claimUndoSend({ taskId }, call, again) {
    const { rows } = await sql`
      update tool_calls c set undo_left_at = now()
      where ${isCall(taskId, call)} and c.undo_state = 'begun' and (c.undo_left_at is null or ${again}::boolean)
      returning c.call_id`.execute(db);
    if (rows.length === 0) throw alreadySent();
  },

  async completeUndo(task, { step, callId }, outcome) {
    const { taskId } = task;
    const { state } = outcome;
    const summary = storableText(outcome.summary);
    // There is none any more when the task was deleted long ago.
    const row = await db
      .selectFrom('tool_calls')
      .select('tool')
      .where('task_id', '=', taskId)
      .where('step', '=', step)
      .where('call_id', '=', callId)
      .executeTakeFirst();
    if (!row) return;
    await appendEvents(db, task, {
      before: {
        // The task before its receipts, as for a deletion.
        locked: sql`select id from tasks where id = ${taskId} for update`,
        completed: sql`
          update tool_calls c set undo_state = ${state}, undo_summary = ${summary}, undo_ended_at = now()
          where ${isCall(taskId, { step, callId })} and (c.undo_state is null or c.undo_state = 'begun')
            and exists (select from locked)
          returning c.call_id`,
      },
      when: sql`exists (select from completed)`,
      events: [{ type: 'effect.undone', data: { step, callId, tool: row.tool, state: eventStates[state], summary } }],
    });
  },
});

/** The note on a task, or on one above it, asks for the undo of all below. */
async function planUndo(db: Database, { taskId, tenant, subject }: TaskRef): ReturnType<Effects['planUndo']> {
  const { rows } = await sql<{ isAsked: boolean }>`
    select true as "isAsked" from tasks t join tasks a on a.id = any(t.id || t.ancestors)
    where t.id = ${taskId} and a.cancel_request @> '{"undo": true}' limit 1`.execute(db);
  if (rows.length === 0) return { undo: [] };
  const delegated = await markForUndo(
    db,
    { tenant, subject },
    sql`t.ancestors @> array[${taskId}::uuid] and t.parent_id is not null`,
  );
  return { undo: await selectSentCalls(db, taskId).execute(), ...(delegated.length > 0 ? { delegated } : {}) };
}

async function requestUndo(db: Database, scope: Scope, taskId: string): ReturnType<Effects['requestUndo']> {
  const { tenant, subject } = scope;
  // First, so that one which ends right now is found among those that have ended.
  const { rows: ending } = await sql<TaskRef>`
    update tasks set cancel_request = ${addCancelNote('cancel_request', { undo: true })}, updated_at = now()
    where id = any(array(
      select id from tasks
      where parent_id is not null and ancestors @> array[${taskId}::uuid] and tenant = ${tenant}
        and subject = ${subject} and ended_at is null and erased_at is null
      order by id for update)) and ended_at is null
    returning id as "taskId", tenant, subject, agent`.execute(db);
  const undone = await markForUndo(
    db,
    scope,
    sql`(t.id = ${taskId} or t.parent_id is not null and t.ancestors @> array[${taskId}::uuid])`,
  );
  return { undone, ending };
}

/** Marks what ended tasks have changed. @returns the tasks with an undo under way, the newest first */
async function markForUndo(db: Database, { tenant, subject }: Scope, which: RawBuilder<unknown>): Promise<TaskRef[]> {
  // The lock makes a deletion of the task see the undo, or the undo the deletion.
  const { rows } = await sql<TaskRef>`
    with ended as (
      select t.id, t.tenant, t.subject, t.agent, t.ended_at from tasks t
      where ${which} and t.tenant = ${tenant} and t.subject = ${subject}
        and t.ended_at is not null and t.erased_at is null
      order by t.id for share
    ), begun as (
      update tool_calls c set undo_state = 'begun', undo_summary = null, undo_ended_at = null from ended t
      where c.task_id = t.id and c.effect = 'write' and c.left_at is not null
        and (c.undo_state is null or c.undo_state in ('begun', 'failed'))
      returning c.task_id
    )
    select t.id as "taskId", t.tenant, t.subject, t.agent from ended t
    where t.id in (select task_id from begun) order by t.ended_at desc`.execute(db);
  return rows;
}

async function listUndoing(
  db: Database,
  { olderThanMs, after, limit }: Parameters<Effects['listUndoing']>[0],
): Promise<TaskRef[]> {
  const afterTask = after === undefined ? sql`true` : sql`task_id > ${after}::uuid`;
  const { rows } = await sql<TaskRef>`
    select t.id as "taskId", t.tenant, t.subject, t.agent
    from (select distinct task_id from tool_calls where undo_state = 'begun' and ${afterTask}) c
    join tasks t on t.id = c.task_id
    where t.ended_at < ${new Date(Date.now() - olderThanMs)}
    order by t.id limit ${limit}`.execute(db);
  return rows;
}

/** The calls of a task that change something and whose request was sent, newest first. */
const selectSentCalls = (db: Database, taskId: string) =>
  db
    .selectFrom('tool_calls')
    .select(['step', 'call_id as callId'])
    .where('task_id', '=', taskId)
    .where('effect', '=', 'write')
    .where('left_at', 'is not', null)
    .orderBy('left_at', 'desc')
    .orderBy('step', 'desc');

const isCall = (taskId: string, { step, callId }: ToolCallKey) =>
  sql`c.task_id = ${taskId} and c.step = ${step} and c.call_id = ${callId}`;

const alreadySent = () => new AlfredError('effect_unknown', 'Another attempt has left, and no answer came yet.');

/** The states of an undo as its event names them. */
const eventStates = {
  undone: 'undone',
  failed: 'undo_failed',
  impossible: 'cannot_be_undone',
  unknown: 'unknown',
} as const satisfies Record<UndoState, string>;
