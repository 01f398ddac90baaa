import { AlfredError } from '../contract/errors.ts';
import type { TaskRow } from '../contract/ports/index.ts';
import type { Principal } from '../contract/principal.ts';
import type { Reach, Scope } from '../contract/references.ts';
import { reachOf } from '../contract/rules/policy.ts';
import { isEnded } from '../contract/task-status.ts';
import type { ApiDeps } from './deps.ts';
import { isOther, readShared, type OwnedRow } from './read-shared.ts';

type Deps = Pick<ApiDeps, 'control' | 'conversationRows'>;

/**
 * Reads a task within reach, or the subject's own task of a message whose turn has not begun.
 *
 * @throws AlfredError `not_found`
 */
export async function findTask(deps: Deps, reach: Reach, id: string): Promise<TaskRow> {
  const row = await readTask(deps, reach, id);
  if (!row) throw noTask(id);
  return row;
}

/**
 * Reads a task as a principal may see it: its own, what another has shared with it, or else without what is in it. Only
 * for requests that read.
 *
 * @param read reads as this owner, or within this reach
 * @returns the row, with `owner` when it is another's; undefined when there is none, or the principal may not see it
 */
export async function readVisibleTask(
  shares: Pick<ApiDeps['shares'], 'findOwner'>,
  principal: Principal,
  id: string,
  read: (reach: Reach) => Promise<TaskRow | undefined>,
): Promise<TaskRow | undefined> {
  const found = await readShared(shares, principal, { taskId: id }, read);
  if (found) return isOther(principal, found.owner) ? { ...found.row, owner: found.owner.subject } : found.row;
  const reach = reachOf(principal, 'see', 'task');
  return reach.of && read(reach);
}

/**
 * Reads a task as `readVisibleTask`, also one of a message whose turn has not begun.
 *
 * @throws AlfredError `not_found`
 */
export async function findVisibleTask(
  deps: Deps & Pick<ApiDeps, 'shares'>,
  principal: Principal,
  id: string,
): Promise<TaskRow> {
  const row = await readVisibleTask(deps.shares, principal, id, (reach) => readTask(deps, reach, id));
  if (!row) throw noTask(id);
  return row;
}

/**
 * As `findVisibleTask`, without asking Temporal.
 *
 * @returns undefined when there is no such task, or its turn has just begun
 */
export const readStoredTask = (
  { tasks, conversationRows, shares }: Pick<ApiDeps, 'tasks' | 'conversationRows' | 'shares'>,
  principal: Principal,
  id: string,
): Promise<TaskRow | undefined> =>
  readVisibleTask(
    shares,
    principal,
    id,
    async (reach) => (await tasks.get(reach, id)) ?? conversationRows.findComingTask(reach, id),
  );

/**
 * Reads a task of the principal's own, or one that is shared with it. Only for requests that read what is in it.
 *
 * @throws AlfredError `not_found`
 */
export async function findReadableTask(
  deps: Deps & Pick<ApiDeps, 'shares'>,
  principal: Principal,
  id: string,
): Promise<OwnedRow<TaskRow>> {
  const found = await readShared(deps.shares, principal, { taskId: id }, (owner) => readTask(deps, owner, id));
  if (!found) throw noTask(id);
  return found;
}

const readTask = async ({ control, conversationRows }: Deps, reach: Reach, id: string) =>
  (await control.tasks.read(reach, id)) ??
  (await conversationRows.findComingTask(reach, id)) ??
  // Its turn may have begun between the two.
  (await control.tasks.read(reach, id));

/**
 * Does something with a task that has a row.
 *
 * @param act      returns undefined when there is no row
 * @param whenOver for a task without a row whose message will not have a turn: it counts as ended
 * @returns what `act` or `whenOver` returns
 * @throws AlfredError `task_queued` while the task waits for its turn, `not_found` when there is no such task
 */
export async function withTask<T>(
  { conversationRows }: Pick<Deps, 'conversationRows'>,
  { scope, id }: { scope: Scope; id: string },
  act: () => Promise<T | undefined>,
  whenOver: (task: TaskRow) => T,
): Promise<T> {
  const done = await act();
  if (done !== undefined) return done;
  const coming = await conversationRows.findComingTask(scope, id);
  if (coming && isEnded(coming.status)) return whenOver(coming);
  if (coming)
    throw new AlfredError(
      'task_queued',
      `The task ${id} waits for its turn in the conversation ${coming.conversationId} and cannot be changed before. POST /v1/conversations/${coming.conversationId}/stop drops the messages that wait.`,
    );
  // Its turn may have begun between the two.
  const again = await act();
  if (again === undefined) throw noTask(id);
  return again;
}

export const noTask = (id: string) => new AlfredError('not_found', `There is no task ${id}.`);
