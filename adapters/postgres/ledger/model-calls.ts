import { sql } from 'kysely';
import { AlfredError, maxAttemptsOf, type ErrorCode } from '../../../contract/errors.ts';
import type { NewTaskEvent } from '../../../contract/events.ts';
import type { TaskRef } from '../../../contract/references.ts';
import { budgetExceeded } from '../../../contract/rules/wait-reason.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import type { CompletedModelCall, Ledger, OpenModelCall, PaidCall, Purpose } from '../../../contract/ports/index.ts';
import { chargeOf, findReachedLimit, insertDayBudgets } from '../tasks/budgets.ts';
import { isOpenFor, reopen } from '../tasks/reopen.ts';
import { endModelCall } from './end-model-call.ts';
import { createOpenCalls, listOpenCalls } from './open-calls.ts';
import { openModelCall, purposeField } from './open-model-call.ts';
import { findPaidCall, paidBy } from './paid-call.ts';
import { storeResponse } from './store-response.ts';

type ModelCalls = Pick<
  Ledger,
  | 'beginModelCall'
  | 'settleModelCall'
  | 'failModelCall'
  | 'countFailures'
  | 'findCutAnswer'
  | 'findPaidCall'
  | keyof ReturnType<typeof createOpenCalls>
>;

/**
 * A step is given up after so many attempts that vanished together with their workers. How often a call that failed is
 * repeated stands in contract/errors.ts.
 */
const maxLost = 20;

/**
 * Model calls, each paid once. The outcome of a call's row is `open` while the call is under way, charged with its
 * worst case. It becomes `completed`, `wasted` (another attempt has completed the step), an error code, or `lost`
 * when nothing was heard of the attempt. A lost attempt that answers late still gets its actual outcome.
 */
export const createModelCalls = (db: Database): ModelCalls => ({
  async beginModelCall(task, call) {
    if (call.attempt > maxLost) await refuseLostStep(db, task, call);
    while (!(await openModelCall(db, task, call))) {
      const paid = await findPaidCall(db, task, call.step, call.purpose);
      if (paid) return paid;
      if (!(await isOpenFor(db, task.taskId, call.runId))) {
        if (!(await reopen(db, task, call))) throw new AlfredError('superseded', 'The task had ended.');
        continue;
      }
      const open = await listOpenCalls(db, task, call);
      if (open.some((callId) => !call.replaces.includes(callId))) return 'running';
      if (await insertDayBudgets(db, call.dayLimits)) continue;
      const limit = await findReachedLimit(db, task, call.dayLimits, chargeOf(call.worstCase, 1));
      if (limit) throw budgetExceeded(limit);
    }
    return undefined;
  },

  settleModelCall: (task, call) => settleModelCall(db, task, call),

  async failModelCall(task, call) {
    const { step, attempt, code, message, purpose } = call;
    // What one model denies says nothing of its fallback.
    const of = code === 'model_denied' ? `${call.provider}:${call.model}` : undefined;
    const failures = (await countFailures(db, task, { step, purpose, of }, code)) + 1;
    // A call that an outage stopped is always made again when the outage is over.
    const willRetry = call.mayRetry && (code === 'model_outage' || failures < maxAttemptsOf(code));
    const error = { code, message };
    const cut = call.cut && storeResponse(task, { ...call, ...call.cut, stopReason: 'max_tokens' });
    await endModelCall(db, task, call, {
      outcome: code,
      ...(cut ? { stored: cut.queries, columns: { head: sql`${cut.head}::text`, stop_reason: 'max_tokens' } } : {}),
      events: [{ type: 'model.failed', data: { step, attempt, error, willRetry, ...purposeField(purpose) } }],
    });
    return failures;
  },

  countFailures: (task, call, code) => countFailures(db, task, call, code),

  async findCutAnswer({ taskId }) {
    const row = await db
      .selectFrom('model_calls as c')
      .innerJoin('tasks as t', 't.id', 'c.task_id')
      .select('c.head')
      .where('c.task_id', '=', taskId)
      .where('c.outcome', '=', 'budget_exceeded')
      .where('c.head', 'is not', null)
      .whereRef('c.step', '>', 't.paid_step')
      .orderBy('c.id', 'desc')
      .limit(1)
      .executeTakeFirst();
    return row?.head ?? undefined;
  },

  findPaidCall: (task, step, purpose) => findPaidCall(db, task, step, purpose),

  ...createOpenCalls(db),
});

async function settleModelCall(db: Database, task: TaskRef, call: CompletedModelCall): Promise<PaidCall> {
  const { callId, step, attempt, purpose, durationMs, firstTokenMs, stopReason, correction, streamed } = call;
  const usage = { modelCalls: 1, ...call.usage };
  const completed: NewTaskEvent = {
    type: 'model.completed',
    data: { step, attempt, usage, stopReason, durationMs, firstTokenMs, ...purposeField(purpose) },
  };
  const corrected: NewTaskEvent[] = correction
    ? [{ type: 'model.corrected', data: { step, reason: correction.because, message: correction.text } }]
    : [];
  const { head, resultHash, queries } = storeResponse(task, call);
  const { expression, toPaidCall } = paidBy(task, call, { head, resultHash });
  const settle = (text: string) =>
    endModelCall(db, task, call, {
      outcome: 'completed',
      stored: queries,
      // One piece, and the rest that this statement adds, are not folded before the task ends.
      hasPieces: streamed === undefined || streamed.pieces > 1,
      onlyIf: text === '' ? undefined : sql`streaming = ${callId}`,
      columns: {
        head: sql`${head}::text`,
        result_hash: sql`${resultHash}::text`,
        stop_reason: stopReason,
      },
      taskColumns: purpose === 'turn' ? { streaming: null, paid_step: sql`greatest(paid_step, ${step})` } : {},
      events: [
        ...(text === '' ? [] : [{ type: 'text.delta', data: { step, attempt, text } } as const]),
        completed,
        ...corrected,
      ],
      returning: expression,
    });
  const rest = streamed?.rest ?? '';
  let returned = await settle(rest);
  // The text of this call is not wanted any more. Its answer may be.
  if (returned === undefined && rest !== '') returned = await settle('');
  if (returned !== undefined) return toPaidCall(returned);
  // Another attempt has completed the step: its response counts, and this call's cost is recorded as waste.
  await endModelCall(db, task, call, { outcome: 'wasted', events: [] });
  const paid = await findPaidCall(db, task, step, purpose);
  if (!paid) throw new Error(`step ${step} of ${task.taskId} has no completed call`);
  return paid;
}

type StepCalls = { step: number; purpose: Purpose; of?: string | undefined };

async function countFailures(db: Database, task: TaskRef, call: StepCalls, code: ErrorCode) {
  return (await outcomesOf(db, task, call)).filter((outcome) => outcome === code).length;
}

async function outcomesOf(db: Database, { taskId }: TaskRef, { step, purpose, of }: StepCalls) {
  const rows = await db
    .selectFrom('model_calls')
    .select('outcome')
    .where('task_id', '=', taskId)
    .where('step', '=', step)
    .where('purpose', '=', purpose)
    .$if(of !== undefined, (query) => query.where(sql`provider || ':' || model`, '=', of))
    .execute();
  return rows.map(({ outcome }) => outcome);
}

/**
 * Refuses a step whose call keeps crashing workers: each attempt is charged.
 *
 * @throws AlfredError `model_unavailable`, which is not retried
 */
async function refuseLostStep(db: Database, task: TaskRef, call: OpenModelCall): Promise<void> {
  const lost = (await outcomesOf(db, task, call)).filter((outcome) => ['open', 'lost', 'timed_out'].includes(outcome));
  if (lost.length < maxLost) return;
  const message = `${lost.length} attempts at this call had no end: their workers vanished, or they took too long.`;
  throw new AlfredError('model_unavailable', message, { failures: Infinity });
}
