import { sql } from 'kysely';
import { noUsage, type Scope } from '../../../contract/references.ts';
import type { TaskUsage } from '../../../contract/task.ts';
import type { UsageGroup, UsageRow } from '../../../contract/usage.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import type { Ledger } from '../../../contract/ports/index.ts';

const columns: Record<UsageGroup, string> = {
  day: `to_char(day, 'YYYY-MM-DD')`,
  agent: 'agent',
  tenant: 'tenant',
  model: 'model',
};

type Sums = TaskUsage & { isTotal: number; outcomes: Record<string, number> } & Pick<UsageRow, UsageGroup>;

/**
 * Sums of the ledger, from its daily sums. Open calls are left out, because their cost is not known yet. Calls from
 * before there were daily sums are read one by one until the sweep has counted them.
 */
export const createUsage = (db: Database): Pick<Ledger, 'reportUsage' | 'countUsage'> => ({
  async reportUsage(reach, { from, to, by }) {
    const groups = sql.join(by.map((group) => sql.ref(group)));
    const named = sql.join(by.map((group) => sql`${sql.raw(columns[group])} as ${sql.ref(group)}`));
    const { rows } = await sql<Sums>`
      with days as (${reach.of === 'tenant' ? tenantDays(reach, { from, to }) : ownDays(reach, { from, to })}), calls as (
        select ${named}, outcome, sum(calls) as calls, sum(input_tokens) as input_tokens,
          sum(cache_read_tokens) as cache_read_tokens, sum(cache_write_tokens) as cache_write_tokens,
          sum(output_tokens) as output_tokens, sum(cost_usd) as cost_usd
        from days
        group by ${sql.join(by.map((_, index) => sql.raw(String(index + 1))))}, outcome
        having sum(calls) <> 0)
      select ${groups}, grouping(${groups}) as "isTotal", coalesce(sum(calls), 0) as "modelCalls",
        coalesce(sum(input_tokens), 0) as "inputTokens", coalesce(sum(cache_read_tokens), 0) as "cacheReadTokens",
        coalesce(sum(cache_write_tokens), 0) as "cacheWriteTokens",
        coalesce(sum(output_tokens), 0) as "outputTokens", coalesce(sum(cost_usd), 0) as "costUsd",
        jsonb_object_agg(outcome, calls) filter (where outcome is not null) as outcomes
      from calls
      group by grouping sets ((${groups}), ())
      order by grouping(${groups}), ${groups}`.execute(db);
    const total = rows.find(({ isTotal }) => isTotal !== 0);
    return {
      from,
      to,
      rows: rows.filter((row) => row !== total).map((row) => rowOf(row, by)),
      total: usageOf(total ?? { modelCalls: 0, ...noUsage }),
    };
  },

  async countUsage(limit) {
    // The trigger of the table counts a call when the column is set.
    const { numAffectedRows } = await sql`
      with due as (
        select id, tenant, created_at, agent, provider, model, outcome from model_calls
        where not is_counted and outcome <> 'open' limit ${limit} for update skip locked
      ), ordered as materialized (select c.id from due c ${inOrderOfSums})
      update model_calls c set is_counted = true from ordered where c.id = ordered.id`.execute(db);
    return Number(numAffectedRows ?? 0);
  },
});

/**
 * The order in which statements change calls `c`, and so by a trigger the daily sums. A late answer takes its lost call
 * from the sums before it counts, so lost calls come first.
 */
export const inOrderOfSums = sql`
  order by c.outcome <> 'lost', c.tenant, (c.created_at at time zone 'UTC')::date, c.agent, c.provider || ':' || c.model`;

type Span = { from: string; to: string };

/** The daily sums of a tenant, and its calls that are not in them yet. */
const tenantDays = ({ tenant }: Scope, span: Span) => sql`
  select tenant, day, agent, model, outcome, calls, input_tokens, cache_read_tokens, cache_write_tokens, output_tokens,
    cost_usd
  from usage_days where tenant = ${tenant} and day between ${span.from}::date and ${span.to}::date
  union all
  ${callsAsDays(tenant, span)} and not m.is_counted`;

/** The calls of a subject's tasks, one by one: the daily sums do not know subjects. */
const ownDays = ({ tenant, subject }: Scope, span: Span) => sql`
  ${callsAsDays(tenant, span)}
  and exists (select from tasks t where t.id = m.task_id and t.tenant = ${tenant} and t.subject = ${subject})`;

const callsAsDays = (tenant: string, { from, to }: Span) => sql`
  select m.tenant, (m.created_at at time zone 'UTC')::date as day, m.agent, m.provider || ':' || m.model as model,
    m.outcome, 1 as calls, m.input_tokens, m.cache_read_tokens, m.cache_write_tokens, m.output_tokens, m.cost_usd
  from model_calls m
  where m.tenant = ${tenant} and m.outcome <> 'open'
    and m.created_at >= (${from}::date)::timestamp at time zone 'UTC'
    and m.created_at < (${to}::date + 1)::timestamp at time zone 'UTC'`;

const rowOf = (sums: Sums, by: UsageGroup[]): UsageRow => ({
  ...Object.fromEntries(by.map((group) => [group, sums[group]])),
  usage: usageOf(sums),
  outcomes: sums.outcomes,
});

const usageOf = (sums: TaskUsage): TaskUsage => ({
  modelCalls: sums.modelCalls,
  inputTokens: sums.inputTokens,
  cacheReadTokens: sums.cacheReadTokens,
  cacheWriteTokens: sums.cacheWriteTokens,
  outputTokens: sums.outputTokens,
  costUsd: sums.costUsd,
});
