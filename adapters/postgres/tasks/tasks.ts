import { sql, type Selectable } from 'kysely';
import { v7 as newId } from 'uuid';
import { AlfredError } from '../../../contract/errors.ts';
import type { BudgetLimits, ContentHash, Scope, TaskRef } from '../../../contract/references.ts';
import type { TaskResult } from '../../../contract/task.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import type { Tables } from '../../../runtime/database/tables.ts';
import { reconcileTask } from '../../../contract/rules/task-reconciliation.ts';
import type { Run, Tasks } from '../../../contract/ports/index.ts';
import { isSteeredBelow } from '../conversations/steering-below.ts';
import { tightestLimits } from '../../../contract/rules/tightest-limits.ts';
import { contentHash, hashRequest } from '../hashes.ts';
import { insertContent, lockContents } from '../messages/contents.ts';
import { insertMessage } from '../messages/message-store.ts';
import { storableJson } from '../storable-json.ts';
import { withQueries } from '../with-queries.ts';
import { appendEvents } from './append-events.ts';
import { closeTask, completeTask } from './end-task.ts';
import { insertTask } from './insert-task.ts';
import { createOpenTasks } from './open-tasks.ts';
import { reopen, reopenedColumns } from './reopen.ts';
import { replaceResult, stillNames } from './replace-result.ts';
import { addCancelNote } from './cancel-note.ts';
import { createTaskReads, listTaskStates, selectVisibleTasks } from './task-reads.ts';
import { taskColumns, toTaskRow } from './task-row.ts';
import { createTaskWaits } from './task-waits.ts';

/** Task rows. Every change of a status appends its event in the same statement. */
export const createTasks = (db: Database): Tasks => ({
  ...createTaskReads(db),
  ...createOpenTasks(db),
  ...createTaskWaits(db),

  async create(scope, request, { idempotencyKey, budget: agentBudget = {}, scheduleId, settingsVersion }) {
    const budget = tightestLimits(agentBudget, request.budget ?? {});
    const requestHash = hashRequest(request);
    const { text, tool } = request.input as { text: string; tool?: { name: string; arguments: never } };
    const message = insertMessage(scope, null, { role: 'user', text, ...(tool ? { tool } : {}) });
    const task = {
      id: newId(),
      request,
      requestHash,
      idempotencyKey,
      budget,
      head: message.head,
      scheduleId,
      settingsVersion,
    };
    const queries = { message: message.statement, ...insertTask(db, scope, task) };
    const columns = sql.join(taskColumns.map((column) => sql.ref(column)));
    const { rows } = await sql<Selectable<Tables['tasks']>>`
      ${withQueries(queries)} select ${columns} from task`.execute(db);
    if (rows[0]) {
      const input = { text, ...(tool ? { tool } : {}) };
      return { ...toTaskRow({ ...rows[0], result: null, effects: [], input }), head: message.head, isNew: true };
    }
    return findRepeated(db, scope, idempotencyKey ?? '', requestHash);
  },

  start: (task, run, plan) => startTask(db, task, run, plan),

  async recordCancelRequest({ tenant, subject }, taskId, note) {
    await db
      .updateTable('tasks')
      // The sweep looks at rows that have changed, and repeats a cancellation that did not reach Temporal.
      .set({ cancel_request: addCancelNote('cancel_request', note), updated_at: sql`now()` })
      .where('id', '=', taskId)
      .where('tenant', '=', tenant)
      .where('subject', '=', subject)
      .where('ended_at', 'is', null)
      .execute();
  },

  storeResult: (task, run, result) => storeResult(db, task, run, result),

  complete: (task, run, resultHash) => completeTask(db, task, run, resultHash),

  close: (task, run, end) => closeTask(db, task, end, { run }),

  recordFailedStart: (task) => recordFailedStart(db, task),

  async closeUnstarted({ tenant, subject, taskId }, end) {
    const [row] = await listTaskStates(db, [taskId]);
    if (row?.status !== 'queued' || row.runId !== null || row.tenant !== tenant || row.subject !== subject) return;
    await closeTask(db, row, end, { lastSeq: row.lastSeq });
  },

  async reconcile(taskId, state) {
    const [row] = await listTaskStates(db, [taskId]);
    const correction = row && reconcileTask(row, state);
    if (!correction || correction.action === 'none') return undefined;
    if (correction.action === 'restart') return { found: correction.found, restart: row };
    const isCorrected =
      correction.action === 'reopen'
        ? await reopen(db, row, { runId: correction.runId }, row.lastSeq)
        : await closeTask(db, row, correction.end, { lastSeq: row.lastSeq });
    // Another process has changed the row since it was read: the next reconciliation decides.
    return isCorrected ? { found: correction.found } : undefined;
  },
});

async function startTask(
  db: Database,
  task: TaskRef,
  run: Run,
  { model, settingsVersion = null }: Parameters<Tasks['start']>[2],
): ReturnType<Tasks['start']> {
  const hasVersion = sql<boolean>`settings_version is not distinct from ${settingsVersion}::int`;
  // The row may have been closed as never started while its workflow was still on its way.
  const started = await appendEvents(db, task, {
    when: sql`(status = 'queued' or error_code = 'never_started') and ${hasVersion}`,
    set: {
      ...reopenedColumns('running'),
      started_at: sql`coalesce(started_at, now())`,
      run_id: run.runId,
      model,
    },
    events: [{ type: 'task.started', data: { model } }],
    returning: isSteeredBelow(task.taskId),
  });
  // What came while a delegated task was asked for, or waited for its worker, is for its first step.
  if (started) return { budget: started.budget, isSteered: started.returned === true };
  const other = await db
    .selectFrom('tasks')
    .select('settings_version')
    .where('id', '=', task.taskId)
    .where(sql<boolean>`not ${hasVersion}`)
    .executeTakeFirst();
  if (other) return { settingsVersion: other.settings_version };
  await reopen(db, task, run);
  const { budget, run_id, is_steered } = await db
    .selectFrom('tasks')
    .select([
      'budget',
      'run_id',
      sql<boolean>`exists (select from conversation_messages where running_task_id = tasks.id
        and state in ('steering', 'steered', 'rolled_back')) or ${isSteeredBelow(task.taskId)}`.as('is_steered'),
    ])
    .where('id', '=', task.taskId)
    .executeTakeFirstOrThrow();
  if (run_id === null) throw new AlfredError('superseded', 'The task was ended before its workflow began.');
  return { budget: budget as BudgetLimits, isSteered: is_steered };
}

async function storeResult(db: Database, task: TaskRef, run: Run, result: TaskResult): Promise<ContentHash> {
  const content = storableJson(result);
  const hash = contentHash(content);
  while (true) {
    const row = await db
      .selectFrom('tasks')
      .select('result_hash')
      .where('id', '=', task.taskId)
      .where('tenant', '=', task.tenant)
      .where('subject', '=', task.subject)
      .where('run_id', '=', run.runId)
      .where('ended_at', 'is', null)
      .executeTakeFirst();
    if (!row) throw new AlfredError('superseded', 'The task had ended.');
    const before = row.result_hash;
    // The row names it from now on, so that it is removed with the task. It is shown when the task is completed.
    const write = async (trx: Database) => {
      const { rows } = await sql`
        ${withQueries({
          // The lock comes before the row, as it does for a deletion.
          locked: lockContents(task),
          open_task: sql`
            update tasks set result_hash = ${hash} from locked
            where id = ${task.taskId} and tenant = ${task.tenant} and subject = ${task.subject}
              and ended_at is null and run_id = ${run.runId} and ${stillNames(before)} returning id`,
          content: insertContent(task, hash, content, 'open_task'),
        })} select from open_task`.execute(trx);
      return rows.length > 0;
    };
    // Another attempt may have stored a result since the row was read. Then it is read again.
    if (await replaceResult(db, task, { before, after: hash }, write)) return hash;
  }
}

async function recordFailedStart(db: Database, { tenant, subject, taskId }: Scope & { taskId: string }): Promise<void> {
  await db
    .updateTable('tasks')
    .set({ error_code: 'never_started', updated_at: sql`now()` })
    .where('id', '=', taskId)
    .where('tenant', '=', tenant)
    .where('subject', '=', subject)
    .where('status', '=', 'queued')
    .where('run_id', 'is', null)
    .execute();
}

/** The task that an idempotency key belongs to already. @throws AlfredError `idempotency_key_reused` */
async function findRepeated(db: Database, scope: Scope, idempotencyKey: string, requestHash: string) {
  const row = await selectVisibleTasks(db, scope).where('t.idempotency_key', '=', idempotencyKey).executeTakeFirst();
  if (!row)
    throw new AlfredError(
      'idempotency_key_reused',
      `The Idempotency-Key "${idempotencyKey}" was used for a task that was deleted.`,
    );
  if (row.request_hash !== requestHash) {
    throw new AlfredError(
      'idempotency_key_reused',
      `The Idempotency-Key "${idempotencyKey}" was used with another request, for task ${row.id}.`,
    );
  }
  const task = { ...toTaskRow(row), head: row.input_head, isNew: false };
  if (row.error_code !== 'never_started') return task;
  // The workflow could not be started. The repeated request starts it after all.
  if (row.ended_at === null) {
    await db
      .updateTable('tasks')
      .set({ error_code: null, updated_at: sql`now()` })
      .where('id', '=', row.id)
      .where('ended_at', 'is', null)
      .execute();
    return task;
  }
  const resumed = await appendEvents(
    db,
    { taskId: row.id, ...scope },
    {
      when: sql`error_code = 'never_started'`,
      set: reopenedColumns('queued'),
      events: [{ type: 'task.resumed', data: { reason: 'The request was repeated.' } }],
    },
  );
  return {
    ...task,
    status: 'queued' as const,
    error: null,
    endedAt: null,
    lastSeq: resumed?.last_seq ?? task.lastSeq,
  };
}
