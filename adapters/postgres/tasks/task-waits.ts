import { isDeepStrictEqual } from 'node:util';
import { sql } from 'kysely';
import { budgetId } from '../../../contract/ids.ts';
import type { BudgetLimits } from '../../../contract/references.ts';
import { describeWait } from '../../../contract/rules/wait-reason.ts';
import type { Waiting } from '../../../contract/task.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import type { Tasks } from '../../../contract/ports/index.ts';
import { appendEvents } from './append-events.ts';
import { adoptRun, isOpenFor, reopen } from './reopen.ts';

type TaskWaits = Pick<Tasks, 'adopt' | 'recordContinuation' | 'markWaiting' | 'markResumed' | 'grantBudget'>;

/** How a task's row stops and goes on while its workflow runs. */
export const createTaskWaits = (db: Database): TaskWaits => ({
  adopt: (task, run) => adoptRun(db, task, run),

  async recordContinuation({ taskId }, { runId }, previousRunId) {
    await db
      .updateTable('tasks')
      .set({ run_id: runId })
      .where('id', '=', taskId)
      .where('run_id', '=', previousRunId)
      .execute();
  },

  async markWaiting(task, { runId }, reason) {
    await adoptRun(db, task, { runId });
    const waiting: Waiting = { ...reason, message: describeWait(reason) };
    const data = sql`${JSON.stringify(waiting)}::jsonb`;
    await appendEvents(db, task, {
      when: sql`ended_at is null and run_id = ${runId} and waiting is distinct from ${data}`,
      set: { status: 'waiting', waiting: data, streaming: null },
      events: [{ type: 'task.waiting', data: waiting }],
    });
  },

  async markResumed(task, { runId }, reason) {
    await appendEvents(db, task, {
      when: sql`ended_at is null and run_id = ${runId} and status = 'waiting'`,
      set: { status: 'running', waiting: null },
      events: [{ type: 'task.resumed', data: { reason } }],
    });
  },

  async grantBudget(task, run, more) {
    const { taskId } = task;
    while (true) {
      const budget = await readBudget(db, taskId);
      const wider = widenLimits(budget, more);
      const { maxCostUsd = null, maxTokens = null, maxModelCalls = null } = wider;
      const granted = await appendEvents(db, task, {
        // Every model call locks the budget before the task, so this does too.
        before: {
          locked_budget: sql`select id from budgets where id = ${budgetId.task(taskId)} for update`,
        },
        // The count makes Postgres run the query that takes the lock.
        when: sql`(select count(*) from locked_budget) >= 0 and ended_at is null and run_id = ${run.runId}
          and budget = ${JSON.stringify(budget)}::jsonb and budget <> ${JSON.stringify(wider)}::jsonb`,
        set: { budget: sql`${JSON.stringify(wider)}::jsonb` },
        events: [{ type: 'budget.granted', data: { budget: wider } }],
        after: {
          widened: sql`
            update budgets b set max_usd = ${maxCostUsd}::numeric, max_tokens = ${maxTokens}::bigint,
              max_calls = ${maxModelCalls}::int
            from task, locked_budget where b.id = locked_budget.id`,
        },
      });
      if (granted) return granted.budget;
      const now = await readBudget(db, taskId);
      if (await isOpenFor(db, taskId, run.runId)) {
        if (isDeepStrictEqual(now, widenLimits(now, more))) return now;
      } else if (!(await reopen(db, task, run))) return now;
    }
  },
});

/** The higher value of each limit that the budget has. A limit that the task does not have is not added. */
function widenLimits(budget: BudgetLimits, more: BudgetLimits): BudgetLimits {
  const wider = { ...budget };
  for (const name of Object.keys(budget) as (keyof BudgetLimits)[])
    wider[name] = Math.max(budget[name] ?? 0, more[name] ?? 0);
  return wider;
}

async function readBudget(db: Database, taskId: string): Promise<BudgetLimits> {
  const { budget } = await db.selectFrom('tasks').select('budget').where('id', '=', taskId).executeTakeFirstOrThrow();
  return budget as BudgetLimits;
}
