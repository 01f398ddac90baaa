import { AlfredError } from '../contract/errors.ts';
import type { TaskRow } from '../contract/ports/index.ts';
import type { Reach, Scope } from '../contract/references.ts';
import { isEnded } from '../contract/task-status.ts';
import type { ApiDeps } from './deps.ts';

type Deps = Pick<ApiDeps, 'control' | 'conversationRows'>;

/**
 * Reads a task within reach, or the subject's own task of a message whose turn has not begun.
 *
 * @throws AlfredError `not_found`
 */
export async function findTask({ control, conversationRows }: Deps, reach: Reach, id: string): Promise<TaskRow> {
  const row =
    (await control.tasks.read(reach, id)) ??
    (await conversationRows.findComingTask(reach, id)) ??
    // Its turn may have begun between the two.
    (await control.tasks.read(reach, id));
  if (!row) throw noTask(id);
  return row;
}

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
