import { sql } from 'kysely';
import type { EndedTask, Run } from '../../../contract/ports/index.ts';
import type { ContentHash, TaskRef } from '../../../contract/references.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import { appendEvents } from './append-events.ts';
import { effectsOfEnd } from './effects-of-end.ts';

type Returned = { agent: string; createdAt: string; endedAt: string; hasCallback: boolean; parentId: string | null };

/** The usage of `task`, as `TaskUsage`. */
const usage = sql`jsonb_build_object('modelCalls', task.model_calls, 'inputTokens', task.input_tokens,
  'cacheReadTokens', task.cache_read_tokens, 'cacheWriteTokens', task.cache_write_tokens,
  'outputTokens', task.output_tokens, 'costUsd', trim_scale(task.cost_usd))`;

/**
 * Ends a task with its answer in one statement, when everything is as usual: the row belongs to this run and has not
 * ended, and names no other result.
 *
 * @returns undefined when nothing was written
 */
export async function completeAtOnce(
  db: Database,
  task: TaskRef,
  { runId }: Run,
  resultHash: ContentHash,
): Promise<EndedTask | undefined> {
  const ended = await appendEvents(db, task, {
    before: {
      result: sql`
        select convert_from(bytes, 'UTF8')::jsonb as data from contents
        where tenant = ${task.tenant} and subject = ${task.subject} and hash = ${resultHash}`,
    },
    when: sql`run_id = ${runId} and ended_at is null and (result_hash is null or result_hash = ${resultHash})
      and exists (select from result where data->>'incomplete' is null)`,
    set: {
      status: 'completed',
      result_hash: resultHash,
      incomplete: null,
      error_code: null,
      error_message: null,
      ended_at: sql`now()`,
      streaming: null,
      waiting: null,
    },
    events: [{ type: 'task.completed' }],
    data: sql`jsonb_build_object('result', (select data from result), 'usage', ${usage})`,
    columns: [
      'agent',
      'created_at',
      'parent_id',
      'model_calls',
      'input_tokens',
      'cache_read_tokens',
      'cache_write_tokens',
      'output_tokens',
      'cost_usd',
    ],
    after: effectsOfEnd(task.taskId),
    returning: sql`jsonb_build_object('agent', agent, 'createdAt', created_at, 'endedAt', ended_at, 'parentId', parent_id,
      'hasCallback', exists (select from callback))`,
  });
  if (!ended) return undefined;
  const { agent, createdAt, endedAt, hasCallback, parentId } = ended.returned as Returned;
  const iso = (time: string) => new Date(time).toISOString();
  return {
    agent,
    status: 'completed',
    error: null,
    createdAt: iso(createdAt),
    endedAt: iso(endedAt),
    parentId,
    hasCallback,
  };
}
