import { randomUUID } from 'node:crypto';
import type { Tasks } from '../../../contract/ports/index.ts';
import type { Pool } from '../../../runtime/database/postgres.ts';

export type RecordedCall = {
  /** When the call began, ISO 8601. */
  at: string;
  tenant?: string;
  agent?: string;
  /** `provider:model` */
  model?: string;
  outcome?: string;
  /** Input tokens. Cache reads are twice, cache writes three times and output tokens four times as many. */
  tokens?: number;
  costUsd?: string;
};

/** Inserts ended model calls of one new task into the ledger. */
export async function recordCalls(
  { tasks, postgres: { pool } }: { tasks: Pick<Tasks, 'create'>; postgres: { pool: Pool } },
  calls: RecordedCall[],
): Promise<void> {
  const scope = { tenant: 'local', subject: 'local' };
  const task = await tasks.create(scope, { agent: 'knowledge', input: { text: 'What?' } }, {});
  for (const [index, call] of calls.entries()) {
    const { at, tenant = scope.tenant, agent = 'knowledge', model = 'anthropic:claude', outcome = 'completed' } = call;
    const { tokens = 0, costUsd = '0' } = call;
    const [provider, ...name] = model.split(':');
    await pool.query(
      `insert into model_calls (call_id, task_id, tenant, agent, step, attempt, outcome, provider, model, input_tokens,
        cache_read_tokens, cache_write_tokens, output_tokens, cost_usd, duration_ms, created_at)
       values ($1, $2, $3, $4, $5, 1, $6, $7, $8, $9, 2 * $9::bigint, 3 * $9::bigint, 4 * $9::bigint, $10, 5, $11)`,
      [randomUUID(), task.id, tenant, agent, index + 1, outcome, provider, name.join(':'), tokens, costUsd, at],
    );
  }
}
