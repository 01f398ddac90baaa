import type { Pool } from '../../../runtime/database/postgres.ts';
import type { ScenarioLimits } from './ledger-scenarios.ts';

/**
 * Makes the database refuse every write that puts a budget above its limit. The ledger stores no day limits; they are
 * kept in a table of the test: see `setDayLimit`.
 */
export async function enforceLimits(pool: Pool): Promise<void> {
  await pool.query(`
    create table day_limits (id text primary key, usd numeric, tokens bigint, calls int);
    create function refuse_overspent() returns trigger language plpgsql as $$
    declare day day_limits;
    begin
      select * into day from day_limits where id = new.id;
      if new.usd > least(new.max_usd, day.usd) or new.tokens > least(new.max_tokens, day.tokens)
        or new.calls > least(new.max_calls, day.calls) then
        raise exception 'overspent: % has %, % tokens, % calls', new.id, new.usd, new.tokens, new.calls;
      end if;
      return null;
    end $$;
    create trigger refuse_overspent after insert or update on budgets for each row execute function refuse_overspent();`);
}

export async function setDayLimit(pool: Pool, id: string, { usd, tokens, calls }: ScenarioLimits): Promise<void> {
  await pool.query('insert into day_limits values ($1, $2, $3, $4)', [id, usd, tokens, calls]);
}

/**
 * Finds inconsistencies among a tenant's tasks: a budget that is not the sum of the calls that name it, a task's usage
 * that is not the sum of its ended calls, a step that was paid twice. One statement, so it reads one snapshot.
 *
 * @param budgets the ids of all budgets that the tasks draw on
 */
export async function findInconsistencies(pool: Pool, tenant: string, budgets: string[]): Promise<unknown[]> {
  const { rows } = await pool.query(
    `with calls as (
       select *, input_tokens + cache_read_tokens + cache_write_tokens + output_tokens as tokens,
         case when outcome in ('open', 'lost', 'completed', 'wasted')
           or input_tokens + cache_read_tokens + cache_write_tokens + output_tokens > 0 then 1 else 0 end as is_call
       from model_calls where tenant = $1
     ), due as (
       select b.id, coalesce(sum(cost_usd), 0) as usd, coalesce(sum(c.tokens), 0) as tokens, coalesce(sum(is_call), 0) as calls
       from budgets b left join calls c on b.id = any(c.budgets) where b.id = any($2) group by b.id
     ), used as (
       select t.id, coalesce(sum(is_call), 0) as calls, coalesce(sum(c.input_tokens), 0) as input,
         coalesce(sum(c.output_tokens), 0) as output, coalesce(sum(c.cost_usd), 0) as usd
       from tasks t left join calls c on c.task_id = t.id and c.outcome <> 'open' where t.tenant = $1 group by t.id
     )
     select 'budget' as wrong, b.id, to_jsonb(b) as row, to_jsonb(due) as due from budgets b join due using (id)
     where (b.usd, b.tokens, b.calls) is distinct from (due.usd, due.tokens, due.calls)
     union all
     select 'usage', t.id::text, jsonb_build_array(model_calls, input_tokens, output_tokens, cost_usd), to_jsonb(used)
     from tasks t join used using (id)
     where (model_calls, input_tokens, output_tokens, cost_usd) is distinct from (used.calls, used.input, used.output, used.usd)
     union all
     select 'paid twice', task_id::text, jsonb_build_array(step, purpose), to_jsonb(count(*)) from calls
     where outcome = 'completed' group by task_id, step, purpose having count(*) > 1`,
    [tenant, budgets],
  );
  return rows;
}

/** What all these budgets still allow, in the ledger's smallest units; Infinity without a limit. */
export async function remainingIn(
  pool: Pool,
  budgets: string[],
): Promise<{ usd: number; tokens: number; calls: number }> {
  const { rows } = await pool.query<{ usd: number | null; tokens: number | null; calls: number | null }>(
    `select min(least(b.max_usd, d.usd) - coalesce(b.usd, 0)) as usd,
       min(least(b.max_tokens, d.tokens) - coalesce(b.tokens, 0)) as tokens,
       min(least(b.max_calls, d.calls) - coalesce(b.calls, 0)) as calls
     from unnest($1::text[]) as named (id) left join budgets b using (id) left join day_limits d using (id)`,
    [budgets],
  );
  const { usd, tokens, calls } = rows[0] ?? {};
  return { usd: usd ?? Infinity, tokens: tokens ?? Infinity, calls: calls ?? Infinity };
}
