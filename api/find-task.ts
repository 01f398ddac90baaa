import { AlfredError } from '../contract/errors.ts';
import type { TaskRow } from '../contract/ports/index.ts';
import type { Scope } from '../contract/references.ts';
import type { ApiDeps } from './deps.ts';

type Deps = Pick<ApiDeps, 'control' | 'conversationRows'>;

/**
 * Reads a task, or the task of a message that waits for its turn.
 *
 * @throws AlfredError `not_found`
 */
export async function findTask({ control, conversationRows }: Deps, scope: Scope, id: string): Promise<TaskRow> {
  const row =
    (await control.tasks.read(scope, id)) ??
    (await conversationRows.findComingTask(scope, id)) ??
    // Its turn may have begun between the two.
    (await control.tasks.read(scope, id));
  if (!row) throw noTask(id);
  return row;
}

/** Why a task cannot be changed: it waits for its turn, or there is none. */
export async function missingTask({ conversationRows }: Pick<Deps, 'conversationRows'>, scope: Scope, id: string) {
  const coming = await conversationRows.findComingTask(scope, id);
  return coming
    ? new AlfredError(
        'task_queued',
        `The task ${id} waits for its turn in the conversation ${coming.conversationId} and cannot be changed before. POST /v1/conversations/${coming.conversationId}/stop drops the messages that wait.`,
      )
    : noTask(id);
}

export const noTask = (id: string) => new AlfredError('not_found', `There is no task ${id}.`);
