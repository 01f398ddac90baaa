import {
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  type Client,
  type WorkflowUpdateOptions,
} from '@temporalio/client';
import { ApplicationFailure, type UpdateDefinition } from '@temporalio/common';
import { AlfredError, isErrorCode } from '../../contract/errors.ts';
import { inTime } from '../../runtime/in-time.ts';
import { temporalDeadlineMs } from './start-workflow.ts';

/**
 * Sends an update to a running workflow and waits for what it returns.
 *
 * @throws AlfredError with the code the workflow refused it with, `task_ended` when it runs no more
 */
export async function updateTask<Ret, Arg>(
  client: Client,
  workflowId: string,
  update: UpdateDefinition<Ret, [Arg]>,
  argument: Arg,
): Promise<Ret> {
  const options: WorkflowUpdateOptions & { args: [Arg] } = { args: [argument] };
  try {
    return await inTime(client, temporalDeadlineMs, () =>
      client.workflow.getHandle(workflowId).executeUpdate(update, options),
    );
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) throw new AlfredError('task_ended');
    const cause = error instanceof WorkflowUpdateFailedError ? error.cause : undefined;
    if (cause instanceof ApplicationFailure && isErrorCode(cause.type))
      throw new AlfredError(cause.type, cause.message);
    throw error;
  }
}
