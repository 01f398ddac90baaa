import { sql, type Selectable } from 'kysely';
import { v7 as newId } from 'uuid';
import { AlfredError } from '../../../contract/errors.ts';
import type { BegunDelegation, NewDelegation, Run, ToolCallKey } from '../../../contract/ports/index.ts';
import type { KeptPrincipal } from '../../../contract/principal.ts';
import type { TaskRef } from '../../../contract/references.ts';
import { tightestLimits } from '../../../contract/rules/tightest-limits.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import type { Tables } from '../../../runtime/database/tables.ts';
import { hashRequest } from '../hashes.ts';
import { lockContents } from '../messages/contents.ts';
import { insertMessage } from '../messages/message-store.ts';
import { appendEvents } from '../tasks/append-events.ts';
import { insertTask } from '../tasks/insert-task.ts';
import { isAbandoned } from '../tasks/is-abandoned.ts';
import { withQueries } from '../with-queries.ts';
import { refusalOf } from './delegation-refusal.ts';
import { lockTaskBudget, reserveShare, type ReservedShare } from './reserve-share.ts';

type TaskColumns = Selectable<Tables['tasks']> & { is_abandoned: boolean };

/** Stores a delegated task. @param trx a transaction: the child, its share and the event come together */
export async function beginDelegation(
  trx: Database,
  parent: TaskRef,
  { runId }: Run,
  delegation: NewDelegation,
): Promise<BegunDelegation | { refused: string }> {
  // In this order everywhere: contents, budgets, tasks by their ids.
  await lockContents(parent).execute(trx);
  const budget = await lockTaskBudget(trx, parent.taskId);
  const row = await lockTasks(trx, parent);
  const existing = await findChild(trx, parent, delegation);
  if (existing) return existing;
  if (!row || row.ended_at !== null || row.run_id !== runId) throw new AlfredError('superseded', 'The task had ended.');
  if (row.cancel_request !== null || row.is_abandoned || row.erased_at !== null)
    return { refused: 'The task is being cancelled, so nothing new is begun.' };
  const requestHash = hashRequest({ agent: delegation.agent, input: delegation.input });
  const refused = await refusalOf(trx, row, { ...delegation, requestHash });
  if (refused !== undefined) return { refused };
  const reserved = await reserveShare(trx, parent, { budget, ...delegation });
  if ('refused' in reserved) return reserved;
  return insertChild(trx, parent, { row, delegation, requestHash, reserved });
}

/** The parent's row. That of the first task is locked too: it counts all tasks below it. */
async function lockTasks(trx: Database, { taskId }: TaskRef): Promise<TaskColumns | undefined> {
  const { rows } = await sql<TaskColumns>`
    select t.*, ${isAbandoned} as is_abandoned from tasks t
    where t.id = ${taskId} or t.id = (select b.ancestors[1] from tasks b where b.id = ${taskId})
    order by t.id for update`.execute(trx);
  return rows.find(({ id }) => id === taskId);
}

/** The child that an earlier attempt at the call has stored. */
async function findChild(
  trx: Database,
  parent: TaskRef,
  { step, callId }: ToolCallKey,
): Promise<BegunDelegation | undefined> {
  const child = await trx
    .selectFrom('delegations as d')
    .innerJoin('tasks as t', 't.id', 'd.child_id')
    .select(['t.id', 't.agent', 't.input_head', 't.priority', 't.ended_at'])
    .where('d.parent_id', '=', parent.taskId)
    .where('d.step', '=', step)
    .where('d.call_id', '=', callId)
    .executeTakeFirst();
  if (!child) return undefined;
  const { tenant, subject } = parent;
  return {
    child: { taskId: child.id, tenant, subject, agent: child.agent, head: child.input_head },
    priority: child.priority ?? undefined,
    hasEnded: child.ended_at !== null,
  };
}

type NewChild = {
  /** Of the parent. */
  row: TaskColumns;
  delegation: NewDelegation;
  requestHash: string;
  reserved: ReservedShare;
};

async function insertChild(
  trx: Database,
  parent: TaskRef,
  { row, delegation, requestHash, reserved }: NewChild,
): Promise<BegunDelegation> {
  const { agent, input, agentBudget, settingsVersion, step, callId } = delegation;
  const childId = newId();
  const { tenant, subject } = parent;
  const owner = { tenant, subject };
  // The child acts with the rights that its parent was asked with, and no others.
  const principal = { ...(row.principal as KeptPrincipal | null), ...owner, roles: row.roles };
  const message = insertMessage(owner, null, {
    role: 'user',
    text: input.text,
    ...(input.tool ? { tool: input.tool } : {}),
  });
  const queries = insertTask(trx, principal, {
    id: childId,
    request: { agent, ...(row.priority === null ? {} : { priority: row.priority }) },
    requestHash,
    // At its limit it ends at once: its parent decides how to go on.
    budget: { ...tightestLimits(agentBudget, reserved.limits), waitS: 0 },
    settingsVersion,
    head: message.head,
    parent: { id: parent.taskId, ancestors: [...row.ancestors, parent.taskId] },
  });
  await sql`${withQueries({ message: message.statement, ...queries })} select id from task`.execute(trx);
  const { usd, tokens, calls } = reserved.charge;
  await sql`
    insert into delegations (child_id, parent_id, step, call_id, usd, tokens, calls)
    values (${childId}, ${parent.taskId}, ${step}, ${callId}, ${usd}::numeric, ${tokens}::bigint, ${calls}::int)`.execute(
    trx,
  );
  await appendEvents(trx, parent, {
    events: [{ type: 'delegation.started', data: { step, callId, taskId: childId, agent, request: input.text } }],
  });
  return {
    child: { ...owner, taskId: childId, agent, head: message.head },
    priority: row.priority ?? undefined,
    hasEnded: false,
  };
}
