import { sql } from 'kysely';
import { budgetId } from '../../../contract/ids.ts';
import type { DelegationEnd, ToolCallKey } from '../../../contract/ports/index.ts';
import type { TaskRef } from '../../../contract/references.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import { appendEvents } from '../tasks/append-events.ts';

/**
 * Ends a delegation once. The child keeps no room in its budget: what it has not spent belongs to the parent again, and
 * a reset of its workflow spends nothing more.
 *
 * @param trx a transaction
 */
export async function settleDelegation(
  trx: Database,
  parent: TaskRef,
  { step, callId }: ToolCallKey,
  end: DelegationEnd,
): Promise<void> {
  const [ofParent, ofChild] = [budgetId.task(parent.taskId), budgetId.task(end.taskId)];
  await sql`select from budgets where id in (${ofParent}, ${ofChild}) order by id for update`.execute(trx);
  await sql`select from tasks where id = ${parent.taskId} for update`.execute(trx);
  const { rows } = await sql`
    with ended as (
      update delegations set ended_at = now()
      where child_id = ${end.taskId} and parent_id = ${parent.taskId} and ended_at is null
      returning usd, tokens, calls
    ), spent as (
      update budgets b set max_usd = case when max_usd is null then null else b.usd end,
        max_tokens = case when max_tokens is null then null else b.tokens end,
        max_calls = case when max_calls is null then null else b.calls end, updated_at = now()
      from ended where b.id = ${ofChild}
      returning b.usd, b.tokens, b.calls
    ), given_back as (
      update budgets b set usd = b.usd - ended.usd + coalesce(spent.usd, 0),
        tokens = b.tokens - ended.tokens + coalesce(spent.tokens, 0),
        calls = b.calls - ended.calls + coalesce(spent.calls, 0), updated_at = now()
      from ended left join spent on true where b.id = ${ofParent}
    )
    select from ended`.execute(trx);
  if (rows.length === 0) return;
  await appendEvents(trx, parent, {
    events: [{ type: 'delegation.ended', data: { step, callId, ...end } }],
    silentAfterEnd: true,
  });
}
