import { sql } from 'kysely';
import type { TaskRef } from '../../../contract/references.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import type { OpenModelCall, Purpose } from '../../../contract/ports/index.ts';
import { insertMessage } from '../messages/message-store.ts';
import { appendEvents } from '../tasks/append-events.ts';
import { inOrderOfSums } from './usage.ts';
import { budgetsOf, chargeOf, checkBudgets } from '../tasks/budgets.ts';

/**
 * Charges a call with its worst case and inserts its row, in one statement. The calls that it replaces become `lost`
 * and count as usage at their worst case.
 *
 * @returns whether it did: not when the budgets have no room, the step is paid, another call of it is open, the task is
 *   not open for this run, or its row changed during the statement
 */
export async function openModelCall(db: Database, task: TaskRef, call: OpenModelCall): Promise<boolean> {
  const { runId, callId, step, attempt, replaces, purpose, provider, model, worstCase, dayLimits, unstored } = call;
  const budgets = budgetsOf(task.taskId, dayLimits);
  const charge = chargeOf(worstCase, 1);
  const isSameStep = sql`task_id = ${task.taskId} and step = ${step} and purpose = ${purpose}`;
  // `paid_step` is a column of the task: Postgres reads it again after a wait for the row's lock, unlike other tables.
  const isUnpaid =
    purpose === 'turn'
      ? sql`paid_step < ${step}`
      : sql`not exists (select from model_calls where ${isSameStep} and outcome = 'completed')`;
  const isOpen = sql`${isSameStep} and outcome = 'open'`;
  const isReplaced = sql`call_id = any(${replaces}::uuid[])`;
  // Other tables are read as they were when the statement began. A call that began meanwhile has changed the number.
  const isUnchanged = sql`last_seq = (select last_seq from tasks where id = ${task.taskId})`;
  const isFree = sql`not exists (select from model_calls where ${isOpen} and not ${isReplaced}) and ${isUnchanged}`;
  const opened = await appendEvents(db, task, {
    before: {
      ...checkBudgets(budgets, dayLimits, charge),
      // The task before its calls, as everywhere.
      ...(replaces.length > 0
        ? { locked_task: sql`select id from tasks where id = ${task.taskId} and (select ok from room) for update` }
        : {}),
      // Locked, because an attempt may be ending at this moment. It is counted either there or here.
      stale: sql`
        select c.id, c.input_tokens, c.output_tokens, c.cost_usd from model_calls c
        where ${isOpen} and ${isReplaced}
          and ${replaces.length > 0 ? sql`exists (select from locked_task)` : sql`false`} ${inOrderOfSums} for update`,
      stale_usage: sql`
        select count(*)::int as n, coalesce(sum(input_tokens), 0) as input, coalesce(sum(output_tokens), 0) as output,
          coalesce(sum(cost_usd), 0) as cost
        from stale`,
    },
    when: sql`(select ok from room) and ended_at is null and run_id = ${runId} and ${isUnpaid} and ${isFree}`,
    set: {
      ...(purpose === 'turn' ? { streaming: callId } : {}),
      model_calls: sql`model_calls + (select n from stale_usage)`,
      input_tokens: sql`input_tokens + (select input from stale_usage)`,
      output_tokens: sql`output_tokens + (select output from stale_usage)`,
      cost_usd: sql`cost_usd + (select cost from stale_usage)`,
    },
    events: [
      { type: 'model.started', data: { step, attempt, model: `${provider}:${model}`, ...purposeField(purpose) } },
    ],
    after: {
      charged: sql`
        update budgets b set usd = b.usd + ${charge.usd}::numeric, tokens = b.tokens + ${charge.tokens}::bigint,
          calls = b.calls + 1, updated_at = now()
        from task where b.id = any(${budgets}::text[])`,
      ...(unstored
        ? { message: insertMessage(task, unstored.parent, unstored.message, { owner: 'task' }).statement }
        : {}),
      lost: sql`
        update model_calls c set outcome = 'lost', ended_at = now() from task, stale where c.id = stale.id`,
      opened: sql`
        insert into model_calls (call_id, task_id, tenant, agent, step, attempt, purpose, outcome, provider, model, budgets,
          input_tokens, cache_read_tokens, cache_write_tokens, output_tokens, cost_usd, duration_ms)
        select ${callId}::uuid, task.id, ${task.tenant}, ${task.agent}, ${step}::int, ${attempt}::int, ${purpose}, 'open',
          ${provider}, ${model}, ${budgets}::text[], ${worstCase.inputTokens}::bigint, 0, 0,
          ${worstCase.outputTokens}::bigint, ${worstCase.costUsd}::numeric, 0
        from task`,
    },
  });
  return opened !== undefined;
}

/** The field `purpose` of an event. A turn is the usual purpose and has none. */
export const purposeField = (purpose: Purpose) => (purpose === 'turn' ? {} : { purpose: 'summary' as const });
