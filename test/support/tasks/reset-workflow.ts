import type { TestEnvironment } from '../environment/environment.ts';

/**
 * Resets a workflow in Temporal, as an operator does.
 *
 * @param point.eventId the id of the workflow task event to reset to: a number, or as it stands in a history
 * @param point.runId the run to reset. Default: the current one
 */
export async function resetWorkflow(
  { client, config }: Pick<TestEnvironment, 'client' | 'config'>,
  workflowId: string,
  { eventId, runId }: { eventId: unknown; runId?: string },
): Promise<void> {
  await client.workflowService.resetWorkflowExecution({
    namespace: config.TEMPORAL_NAMESPACE,
    workflowExecution: { workflowId, ...(runId === undefined ? {} : { runId }) },
    reason: 'by hand',
    requestId: crypto.randomUUID(),
    // Typed as Long; the client takes a number, too.
    workflowTaskFinishEventId: eventId as never,
  });
}
