import { sql, type RawBuilder, type Selectable } from 'kysely';
import { v7 as newId, validate as isUuid } from 'uuid';
import { AlfredError } from '../../../contract/errors.ts';
import type { NewTaskEvent } from '../../../contract/events.ts';
import type { BudgetLimits, ContentHash, Scope, TaskRef } from '../../../contract/references.ts';
import type { TaskResult, TaskStatus } from '../../../contract/task.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import type { Tables } from '../../../runtime/database/tables.ts';
import { reconcileTask } from '../../../contract/rules/task-reconciliation.ts';
import type { CancelNote, TaskClosure, Run, TaskRow, Tasks, TaskState } from '../../../contract/ports/index.ts';
import { insertContent, referenceOf } from '../messages/contents.ts';
import { storableJson } from '../storable-json.ts';
import { insertMessage } from '../messages/message-store.ts';
import { appendEvents } from './append-events.ts';
import { requestHashOf } from '../request-hash.ts';
import { insertTask } from './insert-task.ts';
import { tightest } from './budgets.ts';
import { callbackIsDue } from './callbacks.ts';
import { createWaiting } from './waiting.ts';
import { reopen, revived } from './reopen.ts';
import { selectTasks, taskRowOf, taskStateOf } from './task-row.ts';

/** Task rows; every change of status carries its event in the same transaction. */
export const createTasks = (db: Database): Tasks => ({
  ...createWaiting(db),

  async create(scope, request, { idempotencyKey, budget: own = {} }) {
    const budget = tightest(own, request.budget ?? {});
    const requestHash = requestHashOf(request);
    const { text, tool } = request.input as { text: string; tool?: { name: string; arguments: never } };
    const message = insertMessage(scope, null, { role: 'user', text, ...(tool ? { tool } : {}) });
    const task = { id: newId(), request, requestHash, idempotencyKey, budget, head: message.head };
    const { rows } = await sql<Selectable<Tables['tasks']>>`
      with message as (${message.statement}), ${insertTask(db, scope, task)} select * from task`.execute(db);
    if (rows[0]) return { ...taskRowOf({ ...rows[0], result: null, effects: [] }), head: message.head, isNew: true };
    return repeated(db, scope, idempotencyKey ?? '', requestHash);
  },

  async get(scope, taskId) {
    if (!isUuid(taskId)) return undefined;
    const row = await owned(selectTasks(db), scope).where('t.id', '=', taskId).executeTakeFirst();
    return row && taskRowOf(row);
  },

  async list(scope, { agent, status, conversationId, createdAfter, createdBefore, limit, cursor }) {
    if (cursor !== undefined && !isUuid(cursor))
      throw new AlfredError('invalid_request', 'cursor is not one that a page before returned.');
    let query = owned(selectTasks(db), scope)
      .orderBy('t.id', 'desc')
      .limit(limit + 1);
    if (agent !== undefined) query = query.where('t.agent', '=', agent);
    if (status !== undefined) query = query.where('t.status', '=', status);
    if (conversationId !== undefined) query = query.where('t.conversation_id', '=', conversationId);
    if (createdAfter !== undefined) query = query.where('t.created_at', '>', new Date(createdAfter));
    if (createdBefore !== undefined) query = query.where('t.created_at', '<', new Date(createdBefore));
    if (cursor !== undefined) query = query.where('t.id', '<', cursor);
    const rows = await query.execute();
    const page = rows.slice(0, limit).map(taskRowOf);
    return { tasks: page, nextCursor: rows.length > limit ? (page.at(-1)?.id ?? null) : null };
  },

  async start(task, run, model) {
    // Also a row that the sweep gave up while its workflow was on its way after all.
    const when = sql`(status = 'queued' or error_code = 'never_started')`;
    const set = sql`${revived('running')}, started_at = coalesce(started_at, now()), run_id = ${run.runId}, model = ${model}`;
    const started = await appendEvents(db, task, { when, set, events: [{ type: 'task.started', data: { model } }] });
    if (started) return { budget: started.budget };
    await reopen(db, task, run);
    const { budget, run_id } = await db
      .selectFrom('tasks')
      .select(['budget', 'run_id'])
      .where('id', '=', task.taskId)
      .executeTakeFirstOrThrow();
    if (run_id === null) throw new AlfredError('superseded', 'The task was ended before its workflow began.');
    return { budget: budget as BudgetLimits };
  },

  async recordCancelRequest({ tenant, subject }, taskId, request) {
    await db
      .updateTable('tasks')
      .set({ cancel_request: JSON.stringify(request) })
      .where('id', '=', taskId)
      .where('tenant', '=', tenant)
      .where('subject', '=', subject)
      .where('ended_at', 'is', null)
      .execute();
  },

  async getRoles({ taskId }) {
    const row = await db.selectFrom('tasks').select('roles').where('id', '=', taskId).executeTakeFirst();
    return row?.roles ?? [];
  },

  async storeResult(scope, result) {
    const content = storableJson(result);
    const hash = referenceOf(content);
    await insertContent(scope, hash, content).execute(db);
    return hash;
  },

  complete: (task, run, resultHash) =>
    end(
      db,
      task,
      run,
      'completed',
      sql`, status = 'completed', result_hash = ${resultHash}, error_code = null, error_message = null`,
      resultHash,
      ({ result, usage }) => ({ type: 'task.completed', data: { result: result ?? noResult, usage } }),
    ),

  close: (task, run, closure) => close(db, task, run, closure),

  async reconcile(taskId, state) {
    const [row] = await statesOf(db, [taskId]);
    const correction = row && reconcileTask(row, state);
    if (!correction || correction.action === 'none') return undefined;
    const done =
      correction.action === 'reopen'
        ? await reopen(db, row, { runId: correction.runId }, row.lastSeq)
        : await close(db, row, undefined, correction.closure, row.lastSeq);
    // A row that changed in between is somebody else's; the next look decides.
    return done ? correction.found : undefined;
  },

  async listOpen({ olderThanMs, after, limit }) {
    let query = db
      .selectFrom('tasks')
      .selectAll()
      .where('status', 'in', ['queued', 'running', 'waiting'])
      .where('updated_at', '<', new Date(Date.now() - olderThanMs))
      .orderBy('id')
      .limit(limit);
    if (after !== undefined) query = query.where('id', '>', after);
    return (await query.execute()).map(taskStateOf);
  },

  listStates: (taskIds) => statesOf(db, taskIds),
});

/** What a subject may see: its own, unless the content was deleted. */
const owned = (query: ReturnType<typeof selectTasks>, { tenant, subject }: Scope) =>
  query.where('t.tenant', '=', tenant).where('t.subject', '=', subject).where('t.erased_at', 'is', null);

const close = (db: Database, task: TaskRef, run: Run | undefined, closure: TaskClosure, lastSeq?: number) =>
  closure.status === 'cancelled'
    ? end(
        db,
        task,
        run,
        'cancelled',
        sql`, status = 'cancelled', error_code = null, error_message = null`,
        null,
        ({ usage, effects }, note) => ({
          type: 'task.cancelled',
          data: { reason: note?.reason ?? closure.reason, usage, ...(effects.length > 0 ? { effects } : {}) },
        }),
        lastSeq,
      )
    : end(
        db,
        task,
        run,
        'failed',
        sql`, status = 'failed', error_code = ${closure.code}, error_message = ${closure.message}`,
        null,
        ({ usage }) => ({
          type: 'task.failed',
          data: { error: { code: closure.code, message: closure.message }, usage },
        }),
        lastSeq,
      );

/** Rows of these tasks, over all tenants. */
async function statesOf(db: Database, taskIds: string[]): Promise<TaskState[]> {
  const ids = taskIds.filter((id) => isUuid(id));
  if (ids.length === 0) return [];
  return (
    await db
      .selectFrom('tasks')
      .selectAll()
      .where(sql<boolean>`id = any(${ids}::uuid[])`)
      .execute()
  ).map(taskStateOf);
}

/**
 * Ends a row once for each run: the first end counts. It is read first and written only if it has not changed since;
 * else once more.
 *
 * @param lastSeq the row as the caller saw it; when it has changed since, nothing is written
 */
async function end(
  db: Database,
  task: TaskRef,
  run: Run | undefined,
  status: TaskStatus,
  changes: RawBuilder<unknown>,
  resultHash: ContentHash | null,
  eventOf: (row: TaskRow, cancelNote: CancelNote | null) => NewTaskEvent,
  lastSeq?: number,
): Promise<TaskRow | undefined> {
  while (true) {
    const row = await selectTasks(db, sql`${resultHash}::text`)
      .where('t.id', '=', task.taskId)
      .executeTakeFirstOrThrow();
    const isAnotherRun = run !== undefined && row.run_id !== null && row.run_id !== run.runId;
    if (row.ended_at !== null && !isAnotherRun) return undefined;
    if (lastSeq !== undefined && row.last_seq !== lastSeq) return undefined;
    const before = taskRowOf(row);
    const event = eventOf(before, row.cancel_request as CancelNote | null);
    const error = event.type === 'task.failed' ? event.data.error : null;
    const written = await appendEvents(db, task, {
      when: sql`last_seq = ${row.last_seq}`,
      set: sql`${changes}, ended_at = now(), streaming = null, waiting = null, run_id = ${run?.runId ?? row.run_id}`,
      events: [event],
      // Nobody needs to decide any more, and somebody may want to be told.
      after: sql`, callback as (${callbackIsDue}), withdrawn as (
        update approvals a set status = 'withdrawn' from task where a.task_id = task.id and a.status = 'pending'
      )`,
    });
    if (written)
      return { ...before, status, error, waiting: null, lastSeq: written.last_seq, endedAt: new Date().toISOString() };
  }
}

const noResult: TaskResult = { text: '', citations: [] };

/** The task that an idempotency key made before. */
async function repeated(db: Database, scope: Scope, idempotencyKey: string, requestHash: string) {
  const row = await owned(selectTasks(db), scope)
    .where('t.idempotency_key', '=', idempotencyKey)
    .executeTakeFirstOrThrow();
  if (row.request_hash !== requestHash) {
    throw new AlfredError(
      'idempotency_key_reused',
      `The Idempotency-Key "${idempotencyKey}" was used with another request, for task ${row.id}.`,
    );
  }
  const found = { ...taskRowOf(row), head: row.input_head, isNew: false };
  if (row.error_code !== 'never_started') return found;
  // The sweep gave this row up because its workflow never started; the repeat starts it after all.
  const resumed = await appendEvents(
    db,
    { taskId: row.id, ...scope },
    {
      when: sql`error_code = 'never_started'`,
      set: revived('queued'),
      events: [{ type: 'task.resumed', data: { reason: 'The request was repeated.' } }],
    },
  );
  return {
    ...found,
    status: 'queued' as const,
    error: null,
    endedAt: null,
    lastSeq: resumed?.last_seq ?? found.lastSeq,
  };
}
