import { sql } from 'kysely';
import { budgetId } from '../../../contract/ids.ts';
import type { DelegationEnd, ToolCallKey } from '../../../contract/ports/index.ts';
import type { TaskRef } from '../../../contract/references.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import { appendEvents } from '../tasks/append-events.ts';
import type { Charge } from '../tasks/budgets.ts';

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
  const above = await ancestorsOf(trx, parent);
  const budgets = [ofChild, ofParent, ...above.map(budgetId.task)];
  await sql`select from budgets where id = any(${budgets}::text[]) order by id for update`.execute(trx);
  await sql`select from tasks where id = ${parent.taskId} for update`.execute(trx);
  const { rows } = await sql<Charge>`
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
    select ended.usd - coalesce(spent.usd, 0) as usd, ended.tokens - coalesce(spent.tokens, 0) as tokens,
      ended.calls - coalesce(spent.calls, 0) as calls
    from ended left join spent on true`.execute(trx);
  const [unspent] = rows;
  if (!unspent) return;
  if (above.length > 0) await giveBackFurther(trx, parent, unspent);
  await appendEvents(trx, parent, {
    events: [{ type: 'delegation.ended', data: { step, callId, ...end } }],
    silentAfterEnd: true,
  });
}

async function ancestorsOf(trx: Database, { taskId }: TaskRef): Promise<string[]> {
  const row = await trx.selectFrom('tasks').select('ancestors').where('id', '=', taskId).executeTakeFirst();
  return row?.ancestors ?? [];
}

/**
 * A parent whose own delegation has ended before this one has given back what it had not spent, without this child's
 * share. What is left of that belongs to the task above it, and so on.
 */
async function giveBackFurther(trx: Database, parent: TaskRef, { usd, tokens, calls }: Charge): Promise<void> {
  await sql`
    with recursive settled as (
      select child_id, parent_id from delegations where child_id = ${parent.taskId} and ended_at is not null
      union all
      select d.child_id, d.parent_id from delegations d join settled s on d.child_id = s.parent_id
      where d.ended_at is not null
    ), changed as (
      select 'task/' || id as id, bool_or(is_settled) as is_settled, max(share) as share from (
        select child_id, true, 0 from settled union all select parent_id, false, 1 from settled
      ) as s (id, is_settled, share) group by 1
    )
    update budgets b set
      usd = b.usd - c.share * ${usd}::numeric(20, 10), tokens = b.tokens - c.share * ${tokens}::bigint,
      calls = b.calls - c.share * ${calls}::int, updated_at = now(),
      max_usd = case when b.max_usd is null or not c.is_settled then b.max_usd
        else b.usd - c.share * ${usd}::numeric(20, 10) end,
      max_tokens = case when b.max_tokens is null or not c.is_settled then b.max_tokens
        else b.tokens - c.share * ${tokens}::bigint end,
      max_calls = case when b.max_calls is null or not c.is_settled then b.max_calls
        else b.calls - c.share * ${calls}::int end
    from changed c where b.id = c.id`.execute(trx);
}
