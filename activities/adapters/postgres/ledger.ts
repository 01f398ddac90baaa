import { sql } from 'kysely';
import type { AssistantPart, StoredMessage } from '../../../contract/messages.ts';
import type { Scope, TaskRef, ToolCallRef, Turn, Usage } from '../../../contract/references.ts';
import type { Database } from '../../../runtime/postgres.ts';
import type { CompletedModelCall, FailedModelCall, Ledger } from '../../ports.ts';
import { hashOf, insertContent } from './contents.ts';
import { appendMessage } from './conversations.ts';
import { append } from './events.ts';

/** Model calls paid once and tool calls with receipts. */
export const createLedger = (db: Database): Ledger => ({
  paid: (task, step) => paidTurn(db, task, step),

  async beginModelCall({ taskId }, { step, attempt, model }) {
    await append(db, sql`id = ${taskId}`, sql`, streaming = ${`${step}.${attempt}`}`, [{ type: 'model.started', data: { step, attempt, model } }]);
  },

  settleModelCall: (task, call) =>
    db.transaction().execute(async (tx) => {
      const head = await appendMessage(tx, task, call.parent, { role: 'assistant', parts: call.parts });
      const result = call.result && JSON.stringify(call.result);
      const resultHash = result === undefined ? null : hashOf(result);
      if (result !== undefined && resultHash !== null) await insertContent(tx, task, resultHash, result);
      const won = await tx
        .insertInto('model_calls')
        .values({ ...ledgerRow(task, call, 'completed'), head, result_hash: resultHash, stop_reason: call.stopReason })
        .onConflict((conflict) => conflict.columns(['task_id', 'step']).where('outcome', '=', 'completed').doNothing())
        .returning('id')
        .executeTakeFirst();
      if (!won) {
        // Another attempt was first: its response counts, what this one spent is written down as waste.
        await tx.insertInto('model_calls').values({ ...ledgerRow(task, call, 'wasted'), head, stop_reason: call.stopReason }).execute();
        await append(tx, sql`id = ${task.taskId}`, spent(call.usage), []);
        const first = await paidTurn(tx, task, call.step);
        if (!first) throw new Error(`step ${call.step} of ${task.taskId} has no completed call`);
        return first;
      }
      const { step, attempt, durationMs, firstTokenMs, stopReason } = call;
      await append(tx, sql`id = ${task.taskId}`, sql`${spent(call.usage)}, streaming = null`, [
        { type: 'model.completed', data: { step, attempt, usage: { modelCalls: 1, ...call.usage }, stopReason, durationMs, firstTokenMs } },
      ]);
      return turnOf(head, resultHash, call.parts, call.usage);
    }),

  failModelCall: ({ taskId }, call) =>
    db.transaction().execute(async (tx) => {
      await tx.insertInto('model_calls').values(ledgerRow({ taskId }, call, call.code)).execute();
      const { step, attempt, code, message, willRetry } = call;
      // An ended task keeps its last event last.
      const ended = await append(tx, sql`id = ${taskId} and ended_at is null`, spent(call.usage), [
        { type: 'model.failed', data: { step, attempt, error: { code, message }, willRetry } },
      ]);
      if (ended === undefined) await append(tx, sql`id = ${taskId}`, spent(call.usage), []);
    }),

  beginToolCall: (task, { callId, tool, step, arguments: input }) =>
    db.transaction().execute(async (tx) => {
      const intent = await tx
        .insertInto('tool_calls')
        .values({ task_id: task.taskId, call_id: callId, tool, step, result_hash: null, ended_at: null })
        .onConflict((conflict) => conflict.columns(['task_id', 'call_id']).doNothing())
        .returning('call_id')
        .executeTakeFirst();
      if (intent) {
        await append(tx, sql`id = ${task.taskId}`, sql``, [{ type: 'tool.started', data: { step, callId, tool, arguments: input } }]);
        return undefined;
      }
      const receipt = await tx
        .selectFrom('tool_calls')
        .select(['result_hash', 'is_error'])
        .where('task_id', '=', task.taskId)
        .where('call_id', '=', callId)
        .executeTakeFirst();
      return receipt?.result_hash ? { callId, tool, result: receipt.result_hash, isError: receipt.is_error } : undefined;
    }),

  settleToolCall: (task, { callId, tool, step, output, isError, summary, durationMs }) =>
    db.transaction().execute(async (tx) => {
      const content = JSON.stringify(output);
      const hash = hashOf(content);
      await insertContent(tx, task, hash, content);
      const settled = await tx
        .updateTable('tool_calls')
        .set({ result_hash: hash, is_error: isError, ended_at: new Date() })
        .where('task_id', '=', task.taskId)
        .where('call_id', '=', callId)
        .where('result_hash', 'is', null)
        .returning('call_id')
        .executeTakeFirst();
      if (settled) {
        await append(tx, sql`id = ${task.taskId} and ended_at is null`, sql``, [
          { type: 'tool.completed', data: { step, callId, tool, isError, summary, durationMs } },
        ]);
        return { callId, tool, result: hash, isError };
      }
      const first = await tx
        .selectFrom('tool_calls')
        .select(['result_hash', 'is_error'])
        .where('task_id', '=', task.taskId)
        .where('call_id', '=', callId)
        .executeTakeFirstOrThrow();
      return { callId, tool, result: first.result_hash ?? hash, isError: first.is_error };
    }),
});

const spent = (usage: Usage) => sql`, model_calls = model_calls + 1, input_tokens = input_tokens + ${usage.inputTokens},
  cache_read_tokens = cache_read_tokens + ${usage.cacheReadTokens}, cache_write_tokens = cache_write_tokens + ${usage.cacheWriteTokens},
  output_tokens = output_tokens + ${usage.outputTokens}, cost_usd = cost_usd + ${usage.costUsd}`;

const ledgerRow = ({ taskId }: Pick<TaskRef, 'taskId'>, call: CompletedModelCall | FailedModelCall, outcome: string) => ({
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

async function paidTurn(db: Database, { taskId, tenant, subject }: Scope & { taskId: string }, step: number): Promise<Turn | undefined> {
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
  const calls = parts.flatMap((part): ToolCallRef[] => (part.type === 'tool_call' ? [{ callId: part.callId, tool: part.tool }] : []));
  return { head, usage, next: 'tools', calls };
}
