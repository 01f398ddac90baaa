import { createHash } from 'node:crypto';
import type { JsonValue } from '../../../contract/json.ts';
import type { StoredMessage } from '../../../contract/messages.ts';
import type { Scope, ToolCallRef } from '../../../contract/references.ts';
import type { TaskResult } from '../../../contract/task.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import type { PaidCall, Purpose } from '../../../contract/ports/index.ts';

/** The stored response of a step with the usage of all its attempts, or undefined until an attempt has completed. */
export async function findPaidCall(
  db: Database,
  { taskId, tenant, subject }: Scope & { taskId: string },
  step: number,
  purpose: Purpose,
): Promise<PaidCall | undefined> {
  const row = await db
    .selectFrom('model_calls as c')
    .innerJoin('messages as m', 'm.hash', 'c.head')
    .leftJoin('contents as r', (join) =>
      join.onRef('r.hash', '=', 'c.result_hash').on('r.tenant', '=', tenant).on('r.subject', '=', subject),
    )
    .innerJoin('model_calls as every', (join) =>
      join
        .onRef('every.task_id', '=', 'c.task_id')
        .onRef('every.step', '=', 'c.step')
        .onRef('every.purpose', '=', 'c.purpose')
        .on('every.outcome', '<>', 'open'),
    )
    .select(['c.head', 'c.result_hash', 'm.body'])
    .$if(purpose !== 'turn', (query) => query.select('r.bytes'))
    .select(({ fn }) => [
      fn.sum<number>('every.input_tokens').as('input_tokens'),
      fn.sum<number>('every.cache_read_tokens').as('cache_read_tokens'),
      fn.sum<number>('every.cache_write_tokens').as('cache_write_tokens'),
      fn.sum<number>('every.output_tokens').as('output_tokens'),
      fn.sum<number>('every.cost_usd').as('cost_usd'),
    ])
    .groupBy(['c.id', 'm.tenant', 'm.subject', 'm.hash', 'r.tenant', 'r.subject', 'r.hash'])
    .where('m.tenant', '=', tenant)
    .where('m.subject', '=', subject)
    .where('c.task_id', '=', taskId)
    .where('c.step', '=', step)
    .where('c.purpose', '=', purpose)
    .where('c.outcome', '=', 'completed')
    .executeTakeFirst();
  if (!row?.head) return undefined;
  const usage = {
    inputTokens: row.input_tokens,
    cacheReadTokens: row.cache_read_tokens,
    cacheWriteTokens: row.cache_write_tokens,
    outputTokens: row.output_tokens,
    costUsd: row.cost_usd,
  };
  const text = row.bytes ? (JSON.parse(row.bytes.toString()) as TaskResult).text : '';
  return { turn: { head: row.head, usage, ...nextOf(row.body as StoredMessage, row.result_hash) }, text };
}

function nextOf(message: StoredMessage, result: string | null) {
  if (result !== null) return { next: 'answer' as const, result };
  if (message.role === 'user' && message.because) return { next: 'again' as const, because: message.because };
  const parts = message.role === 'assistant' ? message.parts : [];
  const calls = parts.flatMap((part): ToolCallRef[] =>
    part.type === 'tool_call' ? [{ callId: part.callId, tool: part.tool, args: fingerprint(part.arguments) }] : [],
  );
  return { next: 'tools' as const, calls };
}

/** A hash that distinguishes arguments without revealing them. 48 bits are enough for the calls of one task. */
const fingerprint = (value: JsonValue) =>
  createHash('sha256').update(JSON.stringify(value)).digest('base64url').slice(0, 8);
