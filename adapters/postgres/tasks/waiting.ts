import { isDeepStrictEqual } from 'node:util';
import { sql } from 'kysely';
import { budgetId } from '../../../contract/ids.ts';
import type { BudgetLimits } from '../../../contract/references.ts';
import { describeWait } from '../../../contract/rules/wait-reason.ts';
import type { Waiting } from '../../../contract/task.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import type { Tasks } from '../../../contract/ports/index.ts';
import { appendEvents } from './append-events.ts';
import { isOpenFor, reopen, speakFor } from './reopen.ts';

/** How a task's row stops and goes on while its workflow runs. */
export const createWaiting = (db: Database): Pick<Tasks, 'recordContinuation' | 'markWaiting' | 'markResumed' | 'grantBudget'> => ({
  async recordContinuation({ taskId }, { runId }, from) {
    await db.updateTable('tasks').set({ run_id: runId }).where('id', '=', taskId).where('run_id', '=', from).execute();
  },

  async markWaiting(task, { runId }, stop) {
    await speakFor(db, task, { runId });
    const waiting: Waiting = { ...stop, message: describeWait(stop) };
    const data = JSON.stringify(waiting);
    await appendEvents(db, task, {
      when: sql`ended_at is null and run_id = ${runId} and waiting is distinct from ${data}::jsonb`,
      set: sql`, status = 'waiting', waiting = ${data}::jsonb, streaming = null`,
      events: [{ type: 'task.waiting', data: waiting }],
    });
  },

  async markResumed(task, { runId }, reason) {
    await appendEvents(db, task, {
      when: sql`ended_at is null and run_id = ${runId} and status = 'waiting'`,
      set: sql`, status = 'running', waiting = null`,
      events: [{ type: 'task.resumed', data: { reason } }],
    });
  },

  async grantBudget(task, run, more) {
    const { taskId } = task;
    while (true) {
      const budget = await read(db, taskId);
      const wider = widest(budget, more);
      const { maxCostUsd = null, maxTokens = null, maxModelCalls = null } = wider;
      const granted = await appendEvents(db, task, {
        // The budget before the task, as every call locks them.
        before: sql`held as (select id from budgets where id = ${budgetId.task(taskId)} for update),`,
        when: sql`(select count(*) from held) >= 0 and ended_at is null and run_id = ${run.runId}
          and budget = ${JSON.stringify(budget)}::jsonb and budget <> ${JSON.stringify(wider)}::jsonb`,
        set: sql`, budget = ${JSON.stringify(wider)}::jsonb`,
        events: [{ type: 'budget.granted', data: { budget: wider } }],
        after: sql`, wider as (
          update budgets b set max_usd = ${maxCostUsd}::numeric, max_tokens = ${maxTokens}::bigint,
            max_calls = ${maxModelCalls}::int
          from task, held where b.id = held.id
        )`,
      });
      if (granted) return granted.budget;
      const now = await read(db, taskId);
      if (await isOpenFor(db, taskId, run.runId)) {
        if (isDeepStrictEqual(now, widest(now, more))) return now;
      } else if (!(await reopen(db, task, run))) return now;
    }
  },
});

/** A limit is only ever widened, and one that the task does not have stays away. */
function widest(budget: BudgetLimits, more: BudgetLimits): BudgetLimits {
  const wider = { ...budget };
  for (const name of Object.keys(budget) as (keyof BudgetLimits)[])
    wider[name] = Math.max(budget[name] ?? 0, more[name] ?? 0);
  return wider;
}

async function read(db: Database, taskId: string): Promise<BudgetLimits> {
  const { budget } = await db.selectFrom('tasks').select('budget').where('id', '=', taskId).executeTakeFirstOrThrow();
  return budget as BudgetLimits;
}
