import { sql } from 'kysely';
import { budgetId } from '../../../contract/ids.ts';
import type { NewDelegation } from '../../../contract/ports/index.ts';
import type { BudgetLimits, TaskRef } from '../../../contract/references.ts';
import { leastShare } from '../../../contract/rules/delegation-limits.ts';
import { budgetExceeded } from '../../../contract/rules/wait-reason.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import type { Charge } from '../tasks/budgets.ts';

/** `limits`: the child's; `charge`: what they take from the parent's budget, nothing where the parent has no limit. */
export type ReservedShare = { limits: BudgetLimits; charge: Charge };

type TaskBudget = Charge & Record<`max_${keyof Charge}`, number | null>;

/** Locks the budget of a task. @returns undefined when the task has no limit that needs one */
export async function lockTaskBudget(trx: Database, taskId: string): Promise<TaskBudget | undefined> {
  const { rows } = await sql<TaskBudget>`
    select usd, tokens, calls, max_usd, max_tokens, max_calls from budgets
    where id = ${budgetId.task(taskId)} for update`.execute(trx);
  return rows[0];
}

const kinds = [
  ['usd', 'maxCostUsd'],
  ['tokens', 'maxTokens'],
  ['calls', 'maxModelCalls'],
] as const;

type Share = Pick<NewDelegation, 'step' | 'asked' | 'agentBudget' | 'among'> & { budget: TaskBudget | undefined };

/**
 * Charges the parent's budget with the share of a child: what was asked for, if there is so much, else an equal part of
 * the rest. One part stays for the parent, which has to make an answer of what it gets.
 *
 * @returns `refused`: a part would be too small to begin with, for the model to read: what is left pays for its answer
 * @throws AlfredError `budget_exceeded` instead while another child is open, which may give back what this one needs
 */
export async function reserveShare(
  trx: Database,
  parent: TaskRef,
  { budget, asked, agentBudget, ...call }: Share,
): Promise<ReservedShare | { refused: string }> {
  const charge: Charge = { usd: 0, tokens: 0, calls: 0 };
  const limits: BudgetLimits = { ...asked };
  if (!budget) return { limits, charge };
  const parts = await partsOf(trx, parent, call);
  const left = await dividedRest(trx, parent, parts);
  for (const [kind, limit] of kinds) {
    const max = budget[`max_${kind}`];
    if (max === null) continue;
    const { rest, part } = left[kind];
    const most = agentBudget[limit] ?? Infinity;
    const wanted = Math.min(asked[limit] ?? Infinity, most);
    const share = asked[limit] !== undefined && wanted <= rest ? wanted : Math.min(wanted, part);
    if (share < Math.min(leastShare[kind], wanted) && max > 0) {
      if (!(await hasOpenChild(trx, parent))) return { refused: tooLittleLeft(Math.max(0, rest), kind) };
      throw budgetExceeded({ limit, scope: 'task', max, charged: budget[kind], needed: leastShare[kind] });
    }
    charge[kind] = Math.max(0, share);
    limits[limit] = charge[kind];
  }
  await sql`
    update budgets set usd = usd + ${charge.usd}::numeric(20, 10), tokens = tokens + ${charge.tokens}::bigint,
      calls = calls + ${charge.calls}::int, updated_at = now()
    where id = ${budgetId.task(parent.taskId)}`.execute(trx);
  return { limits, charge };
}

const units = { usd: 'US dollars', tokens: 'tokens', calls: 'model calls' };

const tooLittleLeft = (rest: number, kind: keyof Charge) =>
  `Left in your budget: ${rest} (${units[kind]}). That is too little to share with another agent and to answer afterwards. Do this part yourself, or answer with what you have, and say what is missing.`;

async function hasOpenChild(trx: Database, { taskId }: TaskRef): Promise<boolean> {
  const { rows } = await sql`
    select from delegations where parent_id = ${taskId} and ended_at is null limit 1`.execute(trx);
  return rows.length > 0;
}

/** The number of parts of the rest: one for each delegate call of the step without a share, and one for the parent. */
async function partsOf(trx: Database, { taskId }: TaskRef, { step, among }: Pick<Share, 'step' | 'among'>) {
  const { rows } = await sql<{ begun: number }>`
    select count(*)::int as begun from delegations where parent_id = ${taskId} and step = ${step}`.execute(trx);
  return Math.max(1, among - (rows[0]?.begun ?? 0)) + 1;
}

type Rest = Record<keyof Charge, { rest: number; part: number }>;

/** What is left of the budget, whole and in equal parts. Postgres divides, in exact decimals. */
async function dividedRest(trx: Database, { taskId }: TaskRef, parts: number): Promise<Rest> {
  const { rows } = await sql<Record<`${'rest' | 'part'}_${keyof Charge}`, number>>`
    select max_usd - usd as rest_usd, trunc((max_usd - usd) / ${parts}::int, 10) as part_usd,
      max_tokens - tokens as rest_tokens, (max_tokens - tokens) / ${parts}::int as part_tokens,
      max_calls - calls as rest_calls, (max_calls - calls) / ${parts}::int as part_calls
    from budgets where id = ${budgetId.task(taskId)}`.execute(trx);
  const [row] = rows;
  const of = (kind: keyof Charge) => ({ rest: row?.[`rest_${kind}`] ?? 0, part: row?.[`part_${kind}`] ?? 0 });
  return { usd: of('usd'), tokens: of('tokens'), calls: of('calls') };
}
