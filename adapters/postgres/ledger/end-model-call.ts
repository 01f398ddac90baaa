import { sql, type RawBuilder } from 'kysely';
import type { NewTaskEvent } from '../../../contract/events.ts';
import { totalTokens, type TaskRef } from '../../../contract/references.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import type { CompletedModelCall, FailedModelCall } from '../../../contract/ports/index.ts';
import { appendEvents } from '../tasks/append-events.ts';
import { foldText } from '../tasks/fold-text.ts';
import { lockContents } from '../messages/contents.ts';
import { assignments, type Columns, type Queries } from '../with-queries.ts';

type ModelCallEnd = {
  /** `completed`, `wasted` or an error code. */
  outcome: string;
  events: NewTaskEvent[];
  /** Statements that store what the call returned. */
  stored?: Queries;
  /** Further columns of the call's row. */
  columns?: Columns<'model_calls'>;
  /** Further columns of the task's row. */
  taskColumns?: Columns<'tasks'>;
  /** Whether pieces of text may be there to fold. */
  hasPieces?: boolean;
  /** Nothing is written unless this holds of the task's row. */
  onlyIf?: RawBuilder<unknown> | undefined;
  /** An expression to return. */
  returning?: RawBuilder<unknown>;
};

/**
 * Ends an attempt once and corrects what it was charged: the worst case becomes the actual usage. The usage that a lost
 * attempt was counted with is replaced in the same way.
 *
 * @returns the value of `returning`; undefined when the attempt had ended already, or another attempt has completed the
 *   step
 */
export async function endModelCall(
  db: Database,
  task: TaskRef,
  { callId, usage, durationMs, firstTokenMs }: CompletedModelCall | FailedModelCall,
  { outcome, events, returning = sql`true`, hasPieces = true, onlyIf, ...change }: ModelCallEnd,
): Promise<unknown> {
  const { stored = {}, columns = {}, taskColumns = {} } = change;
  // A request that the provider refused without using tokens does not count as a call.
  const calls = outcome === 'completed' || outcome === 'wasted' || totalTokens(usage) > 0 ? 1 : 0;
  const callColumns: Columns<'model_calls'> = {
    outcome,
    input_tokens: sql`${usage.inputTokens}::bigint`,
    cache_read_tokens: sql`${usage.cacheReadTokens}::bigint`,
    cache_write_tokens: sql`${usage.cacheWriteTokens}::bigint`,
    output_tokens: sql`${usage.outputTokens}::bigint`,
    cost_usd: sql`${usage.costUsd}::numeric`,
    duration_ms: sql`${durationMs}::int`,
    first_token_ms: sql`${firstTokenMs}::int`,
    ended_at: sql`now()`,
    ...columns,
  };
  // A lost attempt is in the task's usage already, at its worst case.
  const counted = (column: 'input_tokens' | 'output_tokens' | 'cost_usd') =>
    sql`(select case old_outcome when 'lost' then ${sql.id(`old_${column}`)} else 0 end from ended)`;
  try {
    const ended = await appendEvents(db, task, {
      // All statements lock in this order: contents, budgets, the task, its calls, the sums of a day.
      intactAfter: {
        ...(stored['content'] ? { locked_contents: lockContents(task) } : {}),
        locked_budgets: sql`
          select id from budgets where id = any((select budgets from model_calls where call_id = ${callId}::uuid)::text[])
            ${stored['content'] ? sql`and (select count(*) from locked_contents) >= 0` : sql``}
          order by id for update`,
      },
      ...(onlyIf ? { intactIf: onlyIf } : {}),
      before: {
        old: sql`
          select id, outcome, input_tokens, cache_read_tokens, cache_write_tokens, output_tokens, cost_usd
          from model_calls where call_id = ${callId}::uuid and (select ok from intact) for update`,
        ended: sql`
          update model_calls c set ${assignments(callColumns)}
          from old where c.id = old.id and old.outcome in ('open', 'lost')
          returning old.outcome as old_outcome, old.input_tokens as old_input_tokens,
            old.output_tokens as old_output_tokens, old.cost_usd as old_cost_usd`,
        ...stored,
      },
      when: sql`exists (select from ended)`,
      set: {
        model_calls: sql`
          model_calls + ${calls}::int - (select case old_outcome when 'lost' then 1 else 0 end from ended)`,
        input_tokens: sql`input_tokens + ${usage.inputTokens}::bigint - ${counted('input_tokens')}`,
        cache_read_tokens: sql`cache_read_tokens + ${usage.cacheReadTokens}::bigint`,
        cache_write_tokens: sql`cache_write_tokens + ${usage.cacheWriteTokens}::bigint`,
        output_tokens: sql`output_tokens + ${usage.outputTokens}::bigint - ${counted('output_tokens')}`,
        cost_usd: sql`cost_usd + ${usage.costUsd}::numeric - ${counted('cost_usd')}`,
        ...taskColumns,
      },
      events,
      after: {
        // The attempt streams no more.
        ...(hasPieces ? foldText(task.taskId) : {}),
        charged: sql`
          update budgets b set usd = b.usd + ${usage.costUsd}::numeric - ended.old_cost_usd,
            tokens = b.tokens + ${totalTokens(usage)}::bigint - ended.old_input_tokens - ended.old_output_tokens,
            calls = b.calls + ${calls - 1}::int, updated_at = now()
          from ended, locked_budgets where b.id = locked_budgets.id`,
      },
      silentAfterEnd: true,
      returning,
    });
    return ended?.returned;
  } catch (error) {
    if ((error as { constraint?: unknown }).constraint === 'model_calls_paid_once') return undefined;
    throw error;
  }
}
