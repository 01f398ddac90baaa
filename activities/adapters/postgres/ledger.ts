import { sql } from 'kysely';
import { AlfredError, maxAttemptsOf } from '../../../contract/errors.ts';
import type { AssistantPart, StoredMessage } from '../../../contract/messages.ts';
import type { Scope, TaskRef, ToolCallRef, Turn, Usage } from '../../../contract/references.ts';
import type { Database } from '../../../runtime/postgres.ts';
import type { CompletedModelCall, FailedModelCall, Ledger } from '../../ports.ts';
import { hashOf, insertContent } from './contents.ts';
import { insertMessage } from './conversations.ts';
import { appendEvents } from './append-events.ts';
import { streamingToken } from './events.ts';
import { reopen } from './reopen.ts';
import { storableJson } from './storable-json.ts';

/** Model calls paid once and tool calls with receipts. */
export const createLedger = (db: Database): Ledger => ({
  async beginModelCall(task, { runId, step, attempt, model }) {
    // `paid_step` stands in the row itself: unlike another table it is looked at again after a wait for the row's lock.
    const when = sql`ended_at is null and run_id = ${runId} and paid_step < ${step}`;
    const set = sql`, streaming = ${streamingToken({ runId, step, attempt })}`;
    const events = [{ type: 'model.started', data: { step, attempt, model } } as const];
    while (!(await appendEvents(db, task, { when, set, events }))) {
      const paid = await paidTurn(db, task, step);
      if (paid) return paid;
      if (!(await reopen(db, task, { runId }))) throw new AlfredError('superseded', 'The task had ended.');
    }
    return undefined;
  },

  async settleModelCall(task, call) {
    const { step, attempt, durationMs, firstTokenMs, stopReason } = call;
    const message = insertMessage(task, call.parent, { role: 'assistant', parts: call.parts });
    const result = call.result && storableJson(call.result);
    const resultHash = result === undefined ? null : hashOf(result);
    const content =
      result === undefined || resultHash === null
        ? sql``
        : sql`content as (${insertContent(task, resultHash, result)}),`;
    const row = {
      ...ledgerRow(task, call, 'completed'),
      head: message.head,
      result_hash: resultHash,
      stop_reason: stopReason,
    };
    const won = db
      .insertInto('model_calls')
      .values(row)
      .onConflict((conflict) =>
        conflict
          .columns(['task_id', 'step'])
          .where(sql<boolean>`outcome = 'completed'`)
          .doNothing(),
      )
      .returning('id');
    const usage = { modelCalls: 1, ...call.usage };
    const settled = await appendEvents(db, task, {
      before: sql`message as (${message.statement}), ${content} won as (${won}),`,
      when: sql`exists (select from won)`,
      set: sql`${spent(call.usage)}, streaming = null, paid_step = greatest(paid_step, ${step})`,
      events: [{ type: 'model.completed', data: { step, attempt, usage, stopReason, durationMs, firstTokenMs } }],
      silentAfterEnd: true,
    });
    // The first attempt at a step is all the step has cost; a later one adds what was lost before it.
    if (settled && attempt === 1) return turnOf(message.head, resultHash, call.parts, call.usage);
    if (!settled) {
      // Another attempt was first: its response counts, what this one spent is written down as waste.
      const waste = db.insertInto('model_calls').values({ ...row, outcome: 'wasted', result_hash: null });
      await appendEvents(db, task, { before: sql`waste as (${waste}),`, set: spent(call.usage), events: [] });
    }
    const paid = await paidTurn(db, task, step);
    if (!paid) throw new Error(`step ${step} of ${task.taskId} has no completed call`);
    return paid;
  },

  async failModelCall(task, call) {
    const { step, attempt, code, message } = call;
    const outcomes = await db
      .selectFrom('model_calls')
      .select(['attempt', 'outcome'])
      .where('task_id', '=', task.taskId)
      .where('step', '=', step)
      .execute();
    const failures = outcomes.filter(({ outcome }) => outcome === code).length + 1;
    // It was stored after all, and only the answer to that got lost.
    if (outcomes.some((other) => other.outcome === 'completed' && other.attempt === attempt)) return failures;
    const willRetry = call.mayRetry && failures < maxAttemptsOf(code);
    const row = db.insertInto('model_calls').values(ledgerRow(task, call, code));
    await appendEvents(db, task, {
      before: sql`failed as (${row}),`,
      set: spent(call.usage),
      events: [{ type: 'model.failed', data: { step, attempt, error: { code, message }, willRetry } }],
      silentAfterEnd: true,
    });
    return failures;
  },

  async beginToolCall(task, { runId, callId, tool, step, arguments: input }) {
    const { taskId } = task;
    const isOpen = sql`ended_at is null and run_id = ${runId}`;
    const before = sql`intent as (
      insert into tool_calls (task_id, call_id, tool, step)
      select ${taskId}, ${callId}, ${tool}, ${step} from tasks where id = ${taskId} and ${isOpen}
      on conflict do nothing returning call_id),`;
    const when = sql`${isOpen} and exists (select from intent)`;
    const events = [{ type: 'tool.started', data: { step, callId, tool, arguments: input } } as const];
    while (!(await appendEvents(db, task, { before, when, events }))) {
      const receipt = await receiptOf(db, taskId, callId);
      if (receipt?.result_hash) return { callId, tool, result: receipt.result_hash, isError: receipt.is_error };
      // An intent without a result: the attempt before this one died, and this one runs the tool.
      if (receipt && (await isOpenFor(db, taskId, runId))) return undefined;
      if (!(await reopen(db, task, { runId }))) throw new AlfredError('superseded', 'The task had ended.');
    }
    return undefined;
  },

  async settleToolCall(task, { callId, tool, step, output, isError, summary, durationMs }) {
    const content = storableJson(output);
    const hash = hashOf(content);
    const settled = sql`content as (${insertContent(task, hash, content)}), settled as (
      update tool_calls set result_hash = ${hash}, is_error = ${isError}, ended_at = now()
      where task_id = ${task.taskId} and call_id = ${callId} and result_hash is null returning call_id),`;
    const completed = { type: 'tool.completed', data: { step, callId, tool, isError, summary, durationMs } } as const;
    await appendEvents(db, task, {
      before: settled,
      when: sql`exists (select from settled)`,
      events: [completed],
      silentAfterEnd: true,
    });
    const receipt = await receiptOf(db, task.taskId, callId);
    if (!receipt?.result_hash) throw new Error(`the call ${callId} of ${task.taskId} has no receipt`);
    return { callId, tool, result: receipt.result_hash, isError: receipt.is_error };
  },
});

const receiptOf = (db: Database, taskId: string, callId: string) =>
  db
    .selectFrom('tool_calls')
    .select(['result_hash', 'is_error'])
    .where('task_id', '=', taskId)
    .where('call_id', '=', callId)
    .executeTakeFirst();

const isOpenFor = async (db: Database, taskId: string, runId: string) =>
  (await db
    .selectFrom('tasks')
    .select('id')
    .where('id', '=', taskId)
    .where('run_id', '=', runId)
    .where('ended_at', 'is', null)
    .executeTakeFirst()) !== undefined;

const spent = (usage: Usage) => sql`, model_calls = model_calls + 1, input_tokens = input_tokens + ${usage.inputTokens},
  cache_read_tokens = cache_read_tokens + ${usage.cacheReadTokens}, cache_write_tokens = cache_write_tokens + ${usage.cacheWriteTokens},
  output_tokens = output_tokens + ${usage.outputTokens}, cost_usd = cost_usd + ${usage.costUsd}`;

const ledgerRow = (
  { taskId }: Pick<TaskRef, 'taskId'>,
  call: CompletedModelCall | FailedModelCall,
  outcome: string,
) => ({
  task_id: taskId,
  step: call.step,
  attempt: call.attempt,
  outcome,
  provider: call.provider,
  model: call.model,
  head: null,
  result_hash: null,
  stop_reason: null,
  input_tokens: call.usage.inputTokens,
  cache_read_tokens: call.usage.cacheReadTokens,
  cache_write_tokens: call.usage.cacheWriteTokens,
  output_tokens: call.usage.outputTokens,
  cost_usd: call.usage.costUsd,
  duration_ms: call.durationMs,
  first_token_ms: call.firstTokenMs,
});

/** What a step has stored, with all that its attempts have cost. */
async function paidTurn(
  db: Database,
  { taskId, tenant, subject }: Scope & { taskId: string },
  step: number,
): Promise<Turn | undefined> {
  const row = await db
    .selectFrom('model_calls as c')
    .innerJoin('messages as m', 'm.hash', 'c.head')
    .innerJoin('model_calls as every', (join) =>
      join.onRef('every.task_id', '=', 'c.task_id').onRef('every.step', '=', 'c.step'),
    )
    .select(['c.head', 'c.result_hash', 'm.body'])
    .select((is) => [
      is.fn.sum<number>('every.input_tokens').as('input_tokens'),
      is.fn.sum<number>('every.cache_read_tokens').as('cache_read_tokens'),
      is.fn.sum<number>('every.cache_write_tokens').as('cache_write_tokens'),
      is.fn.sum<number>('every.output_tokens').as('output_tokens'),
      is.fn.sum<number>('every.cost_usd').as('cost_usd'),
    ])
    .groupBy(['c.id', 'm.tenant', 'm.subject', 'm.hash'])
    .where('m.tenant', '=', tenant)
    .where('m.subject', '=', subject)
    .where('c.task_id', '=', taskId)
    .where('c.step', '=', step)
    .where('c.outcome', '=', 'completed')
    .executeTakeFirst();
  if (!row?.head) return undefined;
  const message = row.body as StoredMessage;
  const usage = {
    inputTokens: row.input_tokens,
    cacheReadTokens: row.cache_read_tokens,
    cacheWriteTokens: row.cache_write_tokens,
    outputTokens: row.output_tokens,
    costUsd: row.cost_usd,
  };
  return turnOf(row.head, row.result_hash, message.role === 'assistant' ? message.parts : [], usage);
}

function turnOf(head: string, result: string | null, parts: AssistantPart[], usage: Usage): Turn {
  if (result !== null) return { head, usage, next: 'answer', result };
  const calls = parts.flatMap((part): ToolCallRef[] =>
    part.type === 'tool_call' ? [{ callId: part.callId, tool: part.tool }] : [],
  );
  return { head, usage, next: 'tools', calls };
}
