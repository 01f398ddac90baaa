import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import type { JsonValue } from '../../../contract/json.ts';
import type { AssistantPart, StoredMessage } from '../../../contract/messages.ts';
import type { MessageHead, Scope, TaskRef, ToolCallRef, Usage } from '../../../contract/references.ts';
import type { TaskResult } from '../../../contract/task.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import type { Tables } from '../../../runtime/database/tables.ts';
import type { CompletedModelCall, PaidCall, Purpose } from '../../../contract/ports/index.ts';
import { storableJson, storableText } from '../storable-json.ts';
import type { StoredResponse } from './store-response.ts';

type PaidRow = {
  head: MessageHead | null;
  result_hash: string | null;
  body: unknown;
  bytes: Buffer | null;
  input_tokens: number;
  cache_read_tokens: number;
  cache_write_tokens: number;
  output_tokens: number;
  cost_usd: number;
};

/** The stored response of a step with the usage of all its attempts, or undefined until an attempt has completed. */
export async function findPaidCall(
  db: Database,
  { taskId, tenant, subject }: Scope & { taskId: string },
  step: number,
  purpose: Purpose,
): Promise<PaidCall | undefined> {
  // The text of a summary is its result; a turn names its result only.
  const bytes = purpose === 'turn' ? sql`null::bytea` : sql`r.bytes`;
  const { rows } = await sql<PaidRow>`
    select c.head, c.result_hash, m.body, ${bytes} as bytes,
      sums.input_tokens, sums.cache_read_tokens, sums.cache_write_tokens, sums.output_tokens, sums.cost_usd
    from model_calls c
      join messages m on m.tenant = ${tenant} and m.subject = ${subject} and m.hash = c.head
      left join contents r on r.tenant = ${tenant} and r.subject = ${subject} and r.hash = c.result_hash
      cross join lateral (
        select sum(input_tokens) as input_tokens, sum(cache_read_tokens) as cache_read_tokens,
          sum(cache_write_tokens) as cache_write_tokens, sum(output_tokens) as output_tokens, sum(cost_usd) as cost_usd
        from model_calls every
        where every.task_id = c.task_id and every.step = c.step and every.purpose = c.purpose and every.outcome <> 'open'
      ) sums
    where c.task_id = ${taskId} and c.step = ${step} and c.purpose = ${purpose} and c.outcome = 'completed'`.execute(
    db,
  );
  const [row] = rows;
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

/**
 * What `findPaidCall` would return, as an expression of the statement that completes the call and a function of its
 * value. The other attempts at the step count with what they have used.
 */
export function paidBy(
  { taskId }: TaskRef,
  { callId, step, purpose, parts, correction, result, usage }: CompletedModelCall,
  { head, resultHash }: Pick<StoredResponse, 'head' | 'resultHash'>,
) {
  // Read back from `jsonb`, which orders the fields: equal arguments have equal fingerprints.
  const calls = storableJson(correction || result ? [] : parts.filter(({ type }) => type === 'tool_call'));
  const sum = (column: keyof Tables['model_calls'], ours: number) =>
    sql`coalesce(sum(${sql.ref(column)}), 0) + ${ours}::numeric(20, 10)`;
  const expression = sql`(
    select json_build_object('calls', ${calls}::jsonb, 'usage', json_build_object(
      'inputTokens', ${sum('input_tokens', usage.inputTokens)},
      'cacheReadTokens', ${sum('cache_read_tokens', usage.cacheReadTokens)},
      'cacheWriteTokens', ${sum('cache_write_tokens', usage.cacheWriteTokens)},
      'outputTokens', ${sum('output_tokens', usage.outputTokens)},
      'costUsd', ${sum('cost_usd', usage.costUsd)}))
    from model_calls
    where task_id = ${taskId} and step = ${step} and purpose = ${purpose} and outcome <> 'open'
      and call_id is distinct from ${callId}::uuid)`;
  const toPaidCall = (returned: unknown): PaidCall => {
    const { calls: parts, usage } = returned as { calls: AssistantPart[]; usage: Usage };
    const message: StoredMessage = correction ? { role: 'user', ...correction } : { role: 'assistant', parts };
    const text = purpose === 'turn' ? '' : storableText(result?.text ?? '');
    return { turn: { head, usage, ...nextOf(message, resultHash) }, text };
  };
  return { expression, toPaidCall };
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
