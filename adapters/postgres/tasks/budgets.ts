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

/** What a call takes from every budget it draws on. */
export type Charge = { usd: number; tokens: number; calls: number };
export const chargeOf = (usage: Usage, calls: number): Charge => ({
  usd: usage.costUsd,
  tokens: totalTokens(usage),
  calls,
});

/** The task's own budget and those of the day. */
export const budgetsOf = (taskId: string, dayLimits: DayLimit[]) => [
  budgetId.task(taskId),
  ...dayLimits.map(({ id }) => id),
];

const limitsTable = (limits: DayLimit[]) => sql`
  select id, max_usd, max_tokens, max_calls from unnest(${limits.map(({ id }) => id)}::text[],
    ${limits.map(({ maxUsd }) => maxUsd ?? null)}::numeric[], ${limits.map(({ maxTokens }) => maxTokens ?? null)}::bigint[],
    ${limits.map(({ maxCalls }) => maxCalls ?? null)}::int[]) as l (id, max_usd, max_tokens, max_calls)`;

/** Which kinds of a charge fit into budget `h` and its limit of the day `d`, in money as it is stored: exact decimals. */
const fits = ({ usd, tokens, calls }: Charge) => ({
  usd: sql`coalesce(h.usd + ${usd}::numeric(20, 10) <= least(h.max_usd, d.max_usd), true)`,
  tokens: sql`coalesce(h.tokens + ${tokens}::bigint <= least(h.max_tokens, d.max_tokens), true)`,
  calls: sql`coalesce(h.calls + ${calls}::int <= least(h.max_calls, d.max_calls), true)`,
});

/**
 * Common table expressions that lock the budgets a call draws on, always in the order of their ids, and say in
 * `room.ok` whether the charge fits into every one of them. A limit of the day that has no row yet is no room.
 */
export const roomFor = (ids: string[], limits: DayLimit[], charge: Charge) => {
  const { usd, tokens, calls } = fits(charge);
  return sql`
  day_limits as (${limitsTable(limits)}),
  held as (
    select id, usd, tokens, calls, max_usd, max_tokens, max_calls from budgets
    where id = any(${ids}::text[]) order by id for update
  ),
  room as (
    select count(d.id) = (select count(*) from day_limits) and coalesce(bool_and(${usd} and ${tokens} and ${calls}), true) as ok
    from held h left join day_limits d on d.id = h.id
  ),`;
};

/** Makes rows for limits of the day that have none yet. @returns whether one was missing */
export async function openDays(db: Database, limits: DayLimit[]): Promise<boolean> {
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

type Room = Charge & { id: string } & Record<`max_${keyof Charge}`, number | null> &
  Record<`fits_${keyof Charge}`, boolean>;

/** The limit that leaves no room for a charge, or undefined. One that somebody can widen is named last. */
export async function stopFor(
  db: Database,
  task: TaskRef,
  limits: DayLimit[],
  charge: Charge,
): Promise<ReachedLimit | undefined> {
  const { usd, tokens, calls } = fits(charge);
  const { rows } = await sql<Room>`
    select h.id, h.usd, h.tokens, h.calls, ${usd} as fits_usd, ${tokens} as fits_tokens, ${calls} as fits_calls,
      least(h.max_usd, d.max_usd) as max_usd, least(h.max_tokens, d.max_tokens) as max_tokens,
      least(h.max_calls, d.max_calls) as max_calls
    from budgets h left join (${limitsTable(limits)}) d on d.id = h.id
    where h.id = any(${budgetsOf(task.taskId, limits)}::text[])`.execute(db);
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

/** The statement that makes a task's budget row, when a limit needs one. */
export const insertTaskBudget = ({ maxCostUsd, maxTokens, maxModelCalls }: BudgetLimits) => sql`
  insert into budgets (id, max_usd, max_tokens, max_calls)
  select 'task/' || id, ${maxCostUsd ?? null}::numeric, ${maxTokens ?? null}::bigint, ${maxModelCalls ?? null}::int
  from task where ${maxCostUsd !== undefined || maxTokens !== undefined || maxModelCalls !== undefined}::boolean`;

const names = ['maxCostUsd', 'maxTokens', 'maxModelCalls', 'maxDurationS', 'waitS'] as const;

/** Of each limit the tighter one. */
export function tightest(a: BudgetLimits, b: BudgetLimits): BudgetLimits {
  const limits: BudgetLimits = {};
  for (const name of names) {
    const [first, second] = [a[name], b[name]];
    const least = first === undefined ? second : second === undefined ? first : Math.min(first, second);
    if (least !== undefined) limits[name] = least;
  }
  return limits;
}
