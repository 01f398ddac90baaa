import { sql, type Selectable } from 'kysely';
import type { NewDelegation } from '../../../contract/ports/index.ts';
import { delegationLimits as limits } from '../../../contract/rules/delegation-limits.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import type { Tables } from '../../../runtime/database/tables.ts';

type Parent = Pick<Selectable<Tables['tasks']>, 'id' | 'agent' | 'ancestors'>;

/**
 * Why a task may not delegate this, for its model to read.
 *
 * @param trx    holds the rows of the parent and of the first task: two calls at once follow each other
 * @returns undefined when it may
 */
export async function refusalOf(
  trx: Database,
  parent: Parent,
  { agent, requestHash }: Pick<NewDelegation, 'agent'> & { requestHash: string },
): Promise<string | undefined> {
  if (parent.ancestors.length >= limits.depth)
    return `This task was itself delegated ${limits.depth} levels deep, so it delegates nothing more. Answer with what you have, and say what is missing.`;
  const chain = [...(await agentsOf(trx, parent.ancestors)), parent.agent];
  if (chain.includes(agent))
    return `${agent} works on this request already (${chain.join(' → ')}). Do this part yourself, or ask another agent.`;
  const { open, total } = await countBelow(trx, parent);
  if (open >= limits.open)
    return `${open} delegated tasks are under way already, which is the most at once. Ask for this part in your next step, when they have ended.`;
  if (total >= limits.total)
    return `${total} tasks were delegated for this request, which is the most. Answer with what you have, and say what is missing.`;
  const [last, before] = await lastRequests(trx, parent.id, agent);
  if (last?.request_hash !== requestHash) return undefined;
  const hasFailed = ['failed', 'cancelled'].includes(last.status);
  if (hasFailed && before?.request_hash !== requestHash) return undefined;
  return hasFailed
    ? `${agent} was asked exactly this twice and has failed twice. Ask in another way, ask another agent, or say what is missing.`
    : `${agent} was asked exactly this right before. Use that answer, or ask for what it leaves open in other words.`;
}

async function agentsOf(trx: Database, taskIds: string[]): Promise<string[]> {
  if (taskIds.length === 0) return [];
  const rows = await trx.selectFrom('tasks').select(['id', 'agent']).where('id', 'in', taskIds).execute();
  return taskIds.flatMap((taskId) => rows.filter(({ id }) => id === taskId).map(({ agent }) => agent));
}

async function countBelow(trx: Database, { id, ancestors }: Parent): Promise<{ open: number; total: number }> {
  const first = ancestors[0] ?? id;
  const { rows } = await sql<{ open: number; total: number }>`
    select
      (select count(*)::int from delegations where parent_id = ${id} and ended_at is null) as open,
      (select count(*)::int from tasks where parent_id is not null and ancestors @> array[${first}::uuid]) as total`.execute(
    trx,
  );
  return rows[0] ?? { open: 0, total: 0 };
}

/** The two newest tasks that the parent has delegated to the agent. */
const lastRequests = (trx: Database, parentId: string, agent: string) =>
  trx
    .selectFrom('delegations as d')
    .innerJoin('tasks as t', 't.id', 'd.child_id')
    .select(['t.request_hash', 't.status'])
    .where('d.parent_id', '=', parentId)
    .where('t.agent', '=', agent)
    .orderBy('d.started_at', 'desc')
    .limit(2)
    .execute();
