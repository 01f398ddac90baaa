import { sql } from 'kysely';
import type { AssistantPart, StoredMessage } from '../../../contract/messages.ts';
import type { Scope, TaskRef, ToolCallRef, Turn, Usage } from '../../../contract/references.ts';
import type { Database } from '../../../runtime/postgres.ts';
import type { CompletedModelCall, FailedModelCall, Ledger } from '../../ports.ts';
import { hashOf, insertContent } from './contents.ts';
import { insertMessage } from './conversations.ts';
import { append } from './events.ts';

/** Model calls paid once and tool calls with receipts. */
export const createLedger = (db: Database): Ledger => ({
  async beginModelCall(task, { step, attempt, model }) {
    const unpaid = sql`id = ${task.taskId} and not exists
      (select from model_calls where task_id = ${task.taskId} and step = ${step} and outcome = 'completed')`;
    const started = { type: 'model.started', data: { step, attempt, model } } as const;
    const begun = await append(db, unpaid, sql`, streaming = ${`${step}.${attempt}`}`, [started]);
    return begun ? undefined : paidTurn(db, task, step);
  },

  async settleModelCall(task, call) {
    const { step, attempt, durationMs, firstTokenMs, stopReason } = call;
    const message = insertMessage(task, call.parent, { role: 'assistant', parts: call.parts });
    const result = call.result && JSON.stringify(call.result);
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
    const settled = await append(
      db,
      sql`id = ${task.taskId} and exists (select from won)`,
      sql`${spent(call.usage)}, streaming = null`,
      [
        {
          type: 'model.completed',
          data: { step, attempt, usage: { modelCalls: 1, ...call.usage }, stopReason, durationMs, firstTokenMs },
        },
      ],
      sql`message as (${message.statement}), ${content} won as (${won}),`,
    );
    if (settled) return turnOf(message.head, resultHash, call.parts, call.usage);

    // Another attempt was first: its response counts, what this one spent is written down as waste.
    const waste = db.insertInto('model_calls').values({ ...row, outcome: 'wasted', result_hash: null });
    await append(db, sql`id = ${task.taskId}`, spent(call.usage), [], sql`waste as (${waste}),`);
    const first = await paidTurn(db, task, step);
    if (!first) throw new Error(`step ${step} of ${task.taskId} has no completed call`);
    return first;
  },

  async failModelCall({ taskId }, call) {
    const { step, attempt, code, message, willRetry } = call;
    const row = db.insertInto('model_calls').values(ledgerRow({ taskId }, call, code));
    await append(db, sql`id = ${taskId}`, spent(call.usage), [], sql`failed as (${row}),`);
    // An ended task keeps its last event last.
    const failed = { type: 'model.failed', data: { step, attempt, error: { code, message }, willRetry } } as const;
    await append(db, sql`id = ${taskId} and ended_at is null`, sql``, [failed]);
  },

  async beginToolCall({ taskId }, { callId, tool, step, arguments: input }) {
    const intent = sql`intent as (
      insert into tool_calls (task_id, call_id, tool, step) values (${taskId}, ${callId}, ${tool}, ${step}) on conflict do nothing returning call_id),`;
    const started = { type: 'tool.started', data: { step, callId, tool, arguments: input } } as const;
    if (await append(db, sql`id = ${taskId} and exists (select from intent)`, sql``, [started], intent))
      return undefined;
    const receipt = await receiptOf(db, taskId, callId);
    return receipt?.result_hash ? { callId, tool, result: receipt.result_hash, isError: receipt.is_error } : undefined;
  },

  async settleToolCall(task, { callId, tool, step, output, isError, summary, durationMs }) {
    const content = JSON.stringify(output);
    const hash = hashOf(content);
    const settled = sql`content as (${insertContent(task, hash, content)}), settled as (
      update tool_calls set result_hash = ${hash}, is_error = ${isError}, ended_at = now()
      where task_id = ${task.taskId} and call_id = ${callId} and result_hash is null returning call_id),`;
    const completed = { type: 'tool.completed', data: { step, callId, tool, isError, summary, durationMs } } as const;
    await append(
      db,
      sql`id = ${task.taskId} and ended_at is null and exists (select from settled)`,
      sql``,
      [completed],
      settled,
    );
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

async function paidTurn(
  db: Database,
  { taskId, tenant, subject }: Scope & { taskId: string },
  step: number,
): Promise<Turn | undefined> {
  const row = await db
    .selectFrom('model_calls as c')
    .innerJoin('messages as m', 'm.hash', 'c.head')
    .selectAll('c')
    .select('m.body')
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
