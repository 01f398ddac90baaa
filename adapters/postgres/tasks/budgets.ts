import { sql } from 'kysely';
import { budgetId } from '../../../contract/ids.ts';
import {
  totalTokens,
  type BudgetLimits,
  type ReachedLimit,
  type TaskRef,
  type Usage,
} from '../../../contract/references.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import type { DayLimit } from '../../../contract/ports/index.ts';
import type { Queries } from '../with-queries.ts';

/** What a call takes from each of its budgets. */
export type Charge = { usd: number; tokens: number; calls: number };

export const chargeOf = (usage: Usage, calls: number): Charge => ({
  usd: usage.costUsd,
  tokens: totalTokens(usage),
  calls,
});

/** Ids of the budgets that a call of this task is charged to: the task's own and those of the day. */
export const budgetsOf = (taskId: string, dayLimits: DayLimit[]) => [
  budgetId.task(taskId),
  ...dayLimits.map(({ id }) => id),
];

const limitsTable = (limits: DayLimit[]) => sql`
  select id, max_usd, max_tokens, max_calls from unnest(${limits.map(({ id }) => id)}::text[],
    ${limits.map(({ maxUsd }) => maxUsd ?? null)}::numeric[], ${limits.map(({ maxTokens }) => maxTokens ?? null)}::bigint[],
    ${limits.map(({ maxCalls }) => maxCalls ?? null)}::int[]) as l (id, max_usd, max_tokens, max_calls)`;

/**
 * Conditions, one for each kind of charge: it fits into budget `b` and into
 * its day limit `d`. Money is compared as it is stored, in exact decimals.
 */
const fits = ({ usd, tokens, calls }: Charge) => ({
  usd: sql`coalesce(b.usd + ${usd}::numeric(20, 10) <= least(b.max_usd, d.max_usd), true)`,
  tokens: sql`coalesce(b.tokens + ${tokens}::bigint <= least(b.max_tokens, d.max_tokens), true)`,
  calls: sql`coalesce(b.calls + ${calls}::int <= least(b.max_calls, d.max_calls), true)`,
});

/**
 * Queries that lock the budgets of a call, always in the order of their ids to avoid deadlocks. `room.ok` is
 * whether the charge fits into all of them; it is false while a day limit has no row yet (see `insertDayBudgets`).
 */
export const checkBudgets = (ids: string[], limits: DayLimit[], charge: Charge): Queries => {
  const { usd, tokens, calls } = fits(charge);
  return {
    day_limits: limitsTable(limits),
    locked_budgets: sql`
      select id, usd, tokens, calls, max_usd, max_tokens, max_calls from budgets
      where id = any(${ids}::text[]) order by id for update`,
    room: sql`
      select count(d.id) = (select count(*) from day_limits)
        and coalesce(bool_and(${usd} and ${tokens} and ${calls}), true) as ok
      from locked_budgets b left join day_limits d on d.id = b.id`,
  };
};

/** Inserts the rows of day limits that have none yet. @returns whether one was missing */
export async function insertDayBudgets(db: Database, limits: DayLimit[]): Promise<boolean> {
  const { rows } = await sql`
    insert into budgets (id) select id from unnest(${limits.map(({ id }) => id)}::text[]) as d (id) order by id
    on conflict (id) do nothing returning id`.execute(db);
  return rows.length > 0;
}

const kinds = [
  ['usd', 'maxCostUsd'],
  ['tokens', 'maxTokens'],
  ['calls', 'maxModelCalls'],
] as const;

type BudgetRow = Charge & { id: string } & Record<`max_${keyof Charge}`, number | null> &
  Record<`fits_${keyof Charge}`, boolean>;

/**
 * The limit that a charge does not fit into, or undefined when it fits. The task's own limit comes last, because it is
 * the only one that a grant can widen.
 */
export async function findReachedLimit(
  db: Database,
  task: TaskRef,
  limits: DayLimit[],
  charge: Charge,
): Promise<ReachedLimit | undefined> {
  const { usd, tokens, calls } = fits(charge);
  const { rows } = await sql<BudgetRow>`
    select b.id, b.usd, b.tokens, b.calls, ${usd} as fits_usd, ${tokens} as fits_tokens, ${calls} as fits_calls,
      least(b.max_usd, d.max_usd) as max_usd, least(b.max_tokens, d.max_tokens) as max_tokens,
      least(b.max_calls, d.max_calls) as max_calls
    from budgets b left join (${limitsTable(limits)}) d on d.id = b.id
    where b.id = any(${budgetsOf(task.taskId, limits)}::text[])`.execute(db);
  const scopes = ['tenant', 'agent', 'task'] as const;
  for (const scope of scopes) {
    const row = rows.find(({ id }) => id.startsWith(`${scope}/`));
    if (!row) continue;
    for (const [kind, limit] of kinds) {
      if (!row[`fits_${kind}`])
        return { limit, scope, max: row[`max_${kind}`] ?? 0, charged: row[kind], needed: charge[kind] };
    }
  }
  return undefined;
}

/** The statement that inserts the budget row of `task`, unless none of its limits needs one. */
export const insertTaskBudget = ({ maxCostUsd, maxTokens, maxModelCalls }: BudgetLimits) => sql`
  insert into budgets (id, max_usd, max_tokens, max_calls)
  select 'task/' || id, ${maxCostUsd ?? null}::numeric, ${maxTokens ?? null}::bigint, ${maxModelCalls ?? null}::int
  from task where ${maxCostUsd !== undefined || maxTokens !== undefined || maxModelCalls !== undefined}::boolean`;
