import { sql } from 'kysely';
import type { BudgetLimits } from '../../../contract/references.ts';
import { sentenceOfStop } from '../../../contract/task-stop.ts';
import type { Waiting } from '../../../contract/task.ts';
import type { Database } from '../../../runtime/postgres.ts';
import type { Tasks } from '../../ports.ts';
import { appendEvents } from './append-events.ts';

/** How a task's row stops and goes on while its workflow runs. */
export const createWaiting = (db: Database): Pick<Tasks, 'carryOn' | 'wait' | 'resume' | 'grant'> => ({
  async carryOn({ taskId }, { runId }, from) {
    await db.updateTable('tasks').set({ run_id: runId }).where('id', '=', taskId).where('run_id', '=', from).execute();
  },

  async wait(task, { runId }, stop) {
    const waiting: Waiting = { ...stop, message: sentenceOfStop(stop) };
    const data = JSON.stringify(waiting);
    await appendEvents(db, task, {
      when: sql`ended_at is null and run_id = ${runId} and waiting is distinct from ${data}::jsonb`,
      set: sql`, status = 'waiting', waiting = ${data}::jsonb, streaming = null`,
      events: [{ type: 'task.waiting', data: waiting }],
    });
  },

  async resume(task, { runId }, reason) {
    await appendEvents(db, task, {
      when: sql`ended_at is null and run_id = ${runId} and status = 'waiting'`,
      set: sql`, status = 'running', waiting = null`,
      events: [{ type: 'task.resumed', data: { reason } }],
    });
  },

  async grant(task, { runId }, more) {
    const given = JSON.stringify(more);
    const { maxCostUsd = null, maxTokens = null, maxModelCalls = null } = more;
    const budget = await read(db, task.taskId);
    const granted = await appendEvents(db, task, {
      when: sql`ended_at is null and run_id = ${runId} and budget is distinct from budget || ${given}::jsonb`,
      set: sql`, budget = budget || ${given}::jsonb`,
      events: [{ type: 'budget.granted', data: { budget: { ...budget, ...more } } }],
      after: sql`, wider as (
        update budgets b set max_usd = coalesce(${maxCostUsd}::numeric, b.max_usd),
          max_tokens = coalesce(${maxTokens}::bigint, b.max_tokens), max_calls = coalesce(${maxModelCalls}::int, b.max_calls)
        from task where b.id = 'task/' || task.id
      )`,
    });
    return granted?.budget ?? read(db, task.taskId);
  },
});

async function read(db: Database, taskId: string): Promise<BudgetLimits> {
  const { budget } = await db.selectFrom('tasks').select('budget').where('id', '=', taskId).executeTakeFirstOrThrow();
  return budget as BudgetLimits;
}
