import { WorkflowNotFoundError, type Client, type Workflow } from '@temporalio/client';
import { AlfredError } from '../../contract/errors.ts';
import { taskWorkflowId, type updateName } from '../../contract/ids.ts';
import { withTemporalTimeout } from '../../runtime/with-temporal-timeout.ts';
import { callDeadlineMs } from './deadlines.ts';
import { refusalOf } from './refusals.ts';

/**
 * Sends an update to a running task and waits for its result.
 *
 * @throws AlfredError with the code of the workflow's refusal, `task_ended` when the workflow no longer runs
 */
export async function updateTask<Result, Argument>(
  client: Client,
  taskId: string,
  name: (typeof updateName)['budget' | 'decide'],
  argument: Argument,
): Promise<Result> {
  try {
    return await withTemporalTimeout(client, callDeadlineMs, () =>
      client.workflow
        .getHandle<Workflow>(taskWorkflowId(taskId))
        .executeUpdate<Result, [Argument]>(name, { args: [argument] }),
    );
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) throw new AlfredError('task_ended');
    throw refusalOf(error) ?? error;
  }
}
