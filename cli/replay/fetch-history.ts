import { z } from 'zod';
import { taskWorkflowId } from '../../contract/ids.ts';
import { connectTemporal, createClient } from '../../runtime/temporal.ts';
import { CliError } from '../cli-error.ts';
import type { History } from './history-file.ts';
import { loadStackConfig } from '../load-stack-config.ts';

/** gRPC status NOT_FOUND: Temporal does not know the workflow. */
const grpcNotFound = 5;

/** A UUID is a task id. Anything else is a workflow id. */
export const workflowIdOf = (id: string) => (z.uuid().safeParse(id).success ? taskWorkflowId(id) : id);

/**
 * Fetches a workflow's history from Temporal: from the stack that runs in this clone, else from the one that the
 * environment configures.
 *
 * @throws CliError when Temporal does not answer or does not know the workflow
 */
export async function fetchHistory(id: string): Promise<{ workflowId: string; history: History }> {
  const config = await loadStackConfig();
  const workflowId = workflowIdOf(id);
  const where = `${config.TEMPORAL_ADDRESS}, namespace ${config.TEMPORAL_NAMESPACE}`;
  const connection = await connectTemporal(config).catch((error: Error) => {
    throw new CliError(
      `Temporal does not answer at ${where}: ${error.message}\nStart it with \`npm start\`, or set TEMPORAL_ADDRESS.`,
      { cause: error },
    );
  });
  try {
    return {
      workflowId,
      history: await createClient(connection, config).workflow.getHandle(workflowId).fetchHistory(),
    };
  } catch (error) {
    if ((error as { code?: unknown }).code !== grpcNotFound) throw error;
    throw new CliError(
      `There is no workflow "${workflowId}" at ${where}. \`alfred tasks list\` shows the tasks; a history older than the namespace's retention is gone.`,
    );
  } finally {
    await connection.close();
  }
}
