import { sql, type RawBuilder } from 'kysely';
import { AlfredError, maxAttemptsOf } from '../../../contract/errors.ts';
import type { NewTaskEvent } from '../../../contract/events.ts';
import { totalTokens, type TaskRef } from '../../../contract/references.ts';
import { budgetExceeded } from '../../../contract/rules/wait-reason.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import type {
  CompletedModelCall,
  FailedModelCall,
  Ledger,
  OpenModelCall,
  Purpose,
} from '../../../contract/ports/index.ts';
import { appendEvents } from '../tasks/append-events.ts';
import { budgetsOf, chargeOf, openDays, roomFor, stopFor } from '../tasks/budgets.ts';
import { referenceOf, insertContent } from '../messages/contents.ts';
import { insertMessage } from '../messages/message-store.ts';
import { streamingToken } from '../tasks/events.ts';
import { paidCall } from './paid-call.ts';
import { isOpenFor, reopen } from '../tasks/reopen.ts';
import { storableJson } from '../storable-json.ts';

type ModelCalls = Pick<Ledger, 'beginModelCall' | 'settleModelCall' | 'failModelCall' | 'findPaidCall' | 'writeOffLost'>;

/** Attempts at one step that may vanish with their workers before the task is given up. */
const maxLost = 20;

/**
 * Model calls paid once. A call's row goes from `open` (charged with its worst case) to `completed`, `wasted` (another
 * attempt was first) or an error code; `lost` is one nobody heard of again, until somebody does.
 */
export const createModelCalls = (db: Database): ModelCalls => ({
  async beginModelCall(task, call) {
    if (call.attempt > maxLost) await refuseTheLost(db, task, call);
    while (!(await open(db, task, call))) {
      const paid = await paidCall(db, task, call.step, call.purpose);
      if (paid) return paid;
      if (!(await isOpenFor(db, task.taskId, call.runId))) {
        if (!(await reopen(db, task, call))) throw new AlfredError('superseded', 'The task had ended.');
        continue;
      }
      if (await openDays(db, call.dayLimits)) continue;
      const stop = await stopFor(db, task, call.dayLimits, chargeOf(call.worstCase, 1));
      if (stop) throw budgetExceeded(stop);
    }
    return undefined;
  },

  async settleModelCall(task, call) {
    const { step, attempt, purpose, durationMs, firstTokenMs, stopReason, correction } = call;
    const usage = { modelCalls: 1, ...call.usage };
    const completed: NewTaskEvent = {
      type: 'model.completed',
      data: { step, attempt, usage, stopReason, durationMs, firstTokenMs, ...purposeOf(call) },
    };
    const corrected: NewTaskEvent[] = correction
      ? [{ type: 'model.corrected', data: { step, reason: correction.because, message: correction.text } }]
      : [];
    const { head, resultHash, statements } = stored(task, call);
    const won = await end(db, task, call, {
      outcome: 'completed',
      before: statements,
      columns: sql`, head = ${head}::text, result_hash = ${resultHash}::text, stop_reason = ${stopReason}`,
      set: purpose === 'turn' ? sql`, streaming = null, paid_step = greatest(paid_step, ${step})` : sql``,
      events: [completed, ...corrected],
    });
    // Another attempt was first: its response counts, what this one spent is written down as waste.
    if (!won) await end(db, task, call, { outcome: 'wasted', events: [] });
    const paid = await paidCall(db, task, step, purpose);
    if (!paid) throw new Error(`step ${step} of ${task.taskId} has no completed call`);
    return paid;
  },

  async failModelCall(task, call) {
    const { step, attempt, code, message } = call;
    const failures = (await outcomesOf(db, task, call)).filter(({ outcome }) => outcome === code).length + 1;
    // Whatever the provider's outage stopped goes on after it.
    const willRetry = call.mayRetry && (code === 'model_outage' || failures < maxAttemptsOf(code));
    const error = { code, message };
    await end(db, task, call, {
      outcome: code,
      events: [{ type: 'model.failed', data: { step, attempt, error, willRetry, ...purposeOf(call) } }],
    });
    return failures;
  },

  findPaidCall: (task, step, purpose) => paidCall(db, task, step, purpose),

  async writeOffLost() {
    const { rows } = await sql<{ n: number }>`
      with unheard as (
        select c.id from model_calls c join tasks t on t.id = c.task_id
        where c.outcome = 'open' and t.ended_at < now() - interval '20 minutes' for update of c skip locked
      ), lost as (
        update model_calls c set outcome = 'lost', ended_at = now() from unheard where c.id = unheard.id
        returning c.task_id, c.input_tokens, c.output_tokens, c.cost_usd
      ), spent as (
        update tasks set model_calls = model_calls + l.n, input_tokens = tasks.input_tokens + l.input,
          output_tokens = tasks.output_tokens + l.output, cost_usd = tasks.cost_usd + l.cost
        from (select task_id, count(*) as n, sum(input_tokens) as input, sum(output_tokens) as output, sum(cost_usd) as cost
              from lost group by task_id) l
        where tasks.id = l.task_id
      )
      select count(*) as n from lost`.execute(db);
    return rows[0]?.n ?? 0;
  },
});

const purposeOf = ({ purpose }: { purpose: Purpose }) => (purpose === 'turn' ? {} : { purpose: 'summary' as const });

const outcomesOf = (db: Database, { taskId }: TaskRef, { step, purpose }: { step: number; purpose: Purpose }) =>
  db
    .selectFrom('model_calls')
    .select('outcome')
    .where('task_id', '=', taskId)
    .where('step', '=', step)
    .where('purpose', '=', purpose)
    .execute();

/** A call that takes its worker down each time would be paid for ever. */
async function refuseTheLost(db: Database, task: TaskRef, call: OpenModelCall): Promise<void> {
  const lost = (await outcomesOf(db, task, call)).filter(({ outcome }) => outcome === 'open' || outcome === 'lost');
  if (lost.length < maxLost) return;
  const said = `The worker vanished ${lost.length} times in the middle of this call.`;
  throw new AlfredError('model_unavailable', said, { failures: Infinity });
}

/** Charges and opens the call in one statement. @returns whether it did */
async function open(db: Database, task: TaskRef, call: OpenModelCall): Promise<boolean> {
  const { runId, callId, step, attempt, purpose, provider, model, worstCase, dayLimits } = call;
  const budgets = budgetsOf(task.taskId, dayLimits);
  const charge = chargeOf(worstCase, 1);
  const siblings = sql`task_id = ${task.taskId} and step = ${step} and purpose = ${purpose}`;
  // `paid_step` stands in the row itself: unlike another table it is looked at again after a wait for the row's lock.
  const unpaid =
    purpose === 'turn'
      ? sql`paid_step < ${step}`
      : sql`not exists (select from model_calls where ${siblings} and outcome = 'completed')`;
  const opened = await appendEvents(db, task, {
    // Locked, because one of them may be ending just now: it is counted there or here.
    before: sql`${roomFor(budgets, dayLimits, charge)} unheard as (
      select id, input_tokens, output_tokens, cost_usd from model_calls
      where ${siblings} and outcome = 'open' and (select ok from room) order by id for update
    ), stale as (
      select count(*)::int as n, coalesce(sum(input_tokens), 0) as input, coalesce(sum(output_tokens), 0) as output,
        coalesce(sum(cost_usd), 0) as cost
      from unheard
    ),`,
    when: sql`(select ok from room) and ended_at is null and run_id = ${runId} and ${unpaid}`,
    set: sql`${purpose === 'turn' ? sql`, streaming = ${streamingToken(call)}` : sql``},
      model_calls = model_calls + (select n from stale), input_tokens = input_tokens + (select input from stale),
      output_tokens = output_tokens + (select output from stale), cost_usd = cost_usd + (select cost from stale)`,
    events: [{ type: 'model.started', data: { step, attempt, model: `${provider}:${model}`, ...purposeOf(call) } }],
    after: sql`, charged as (
      update budgets b set usd = b.usd + ${charge.usd}::numeric, tokens = b.tokens + ${charge.tokens}::bigint,
        calls = b.calls + 1, updated_at = now()
      from task where b.id = any(${budgets}::text[])
    ), lost as (
      update model_calls c set outcome = 'lost', ended_at = now() from task, unheard where c.id = unheard.id
    ), opened as (
      insert into model_calls (call_id, task_id, tenant, agent, step, attempt, purpose, outcome, provider, model, budgets,
        input_tokens, cache_read_tokens, cache_write_tokens, output_tokens, cost_usd, duration_ms)
      select ${callId}::uuid, task.id, ${task.tenant}, ${task.agent}, ${step}::int, ${attempt}::int, ${purpose}, 'open', ${provider}, ${model},
        ${budgets}::text[], ${worstCase.inputTokens}::bigint, 0, 0, ${worstCase.outputTokens}::bigint, ${worstCase.costUsd}::numeric, 0
      from task
    )`,
  });
  return opened !== undefined;
}

type End = {
  outcome: string;
  events: NewTaskEvent[];
  before?: RawBuilder<unknown>;
  columns?: RawBuilder<unknown>;
  set?: RawBuilder<unknown>;
};

/**
 * Ends an attempt once: its row says what became of it, what it was charged too much (or, of a lost one, had been
 * counted too much) goes back. @returns false when it had ended, or lost against the attempt that completed the step
 */
async function end(
  db: Database,
  task: TaskRef,
  { callId, usage, durationMs, firstTokenMs }: CompletedModelCall | FailedModelCall,
  { outcome, events, before = sql``, columns = sql``, set = sql`` }: End,
): Promise<boolean> {
  // What a provider turned away at its door was no call.
  const calls = outcome === 'completed' || outcome === 'wasted' || totalTokens(usage) > 0 ? 1 : 0;
  const counted = (column: string) =>
    sql`(select case was when 'lost' then ${sql.ref(`old_${column}`)} else 0 end from won)`;
  try {
    const ended = await appendEvents(db, task, {
      before: sql`held as (
        select id from budgets where id = any((select budgets from model_calls where call_id = ${callId}::uuid)::text[])
        order by id for update
      ), old as (
        select id, outcome, input_tokens, cache_read_tokens, cache_write_tokens, output_tokens, cost_usd
        from model_calls where call_id = ${callId}::uuid and (select count(*) from held) >= 0 for update
      ), won as (
        update model_calls c set outcome = ${outcome}, input_tokens = ${usage.inputTokens}::bigint,
          cache_read_tokens = ${usage.cacheReadTokens}::bigint, cache_write_tokens = ${usage.cacheWriteTokens}::bigint,
          output_tokens = ${usage.outputTokens}::bigint, cost_usd = ${usage.costUsd}::numeric, duration_ms = ${durationMs}::int,
          first_token_ms = ${firstTokenMs}::int, ended_at = now() ${columns}
        from old where c.id = old.id and old.outcome in ('open', 'lost')
        returning old.outcome as was, old.input_tokens as old_input_tokens, old.output_tokens as old_output_tokens,
          old.cost_usd as old_cost_usd
      ), ${before}`,
      when: sql`exists (select from won)`,
      set: sql`, model_calls = model_calls + ${calls}::int - (select case was when 'lost' then 1 else 0 end from won),
        input_tokens = input_tokens + ${usage.inputTokens}::bigint - ${counted('input_tokens')},
        cache_read_tokens = cache_read_tokens + ${usage.cacheReadTokens}::bigint,
        cache_write_tokens = cache_write_tokens + ${usage.cacheWriteTokens}::bigint,
        output_tokens = output_tokens + ${usage.outputTokens}::bigint - ${counted('output_tokens')},
        cost_usd = cost_usd + ${usage.costUsd}::numeric - ${counted('cost_usd')} ${set}`,
      events,
      after: sql`, charged as (
        update budgets b set usd = b.usd + ${usage.costUsd}::numeric - won.old_cost_usd,
          tokens = b.tokens + ${totalTokens(usage)}::bigint - won.old_input_tokens - won.old_output_tokens,
          calls = b.calls + ${calls - 1}::int, updated_at = now()
        from won, held where b.id = held.id
      )`,
      silentAfterEnd: true,
    });
    return ended !== undefined;
  } catch (error) {
    if ((error as { constraint?: unknown }).constraint === 'model_calls_paid_once') return false;
    throw error;
  }
}

/** What a completed call leaves: the message with its size, a correction, the result. */
function stored(
  task: TaskRef,
  { parent, parts, usage, provider, model, purpose, result, correction }: CompletedModelCall,
) {
  const content = result && storableJson(result);
  const resultHash = content === undefined ? null : referenceOf(content);
  const contents =
    content === undefined || resultHash === null
      ? sql``
      : sql`content as (${insertContent(task, resultHash, content)}),`;
  if (purpose !== 'turn') return { head: parent, resultHash, statements: contents };
  const size = { tokens: totalTokens(usage), by: `${provider}:${model}` };
  const said = insertMessage(task, parent, { role: 'assistant', parts }, size);
  if (!correction) return { head: said.head, resultHash, statements: sql`message as (${said.statement}), ${contents}` };
  const told = insertMessage(task, said.head, { role: 'user', text: correction.text, because: correction.because });
  return {
    head: told.head,
    resultHash,
    statements: sql`message as (${said.statement}), told as (${told.statement}), ${contents}`,
  };
}
