import type { Client } from '@temporalio/client';
import { taskWorkflowId } from '../../../contract/ids.ts';

/**
 * How many attempts each execution of an activity took, from the task's history.
 *
 * @param activity the activity's wire name
 * @returns one number an execution, in the order in which the workflow scheduled them
 */
export async function activityAttempts(client: Client, taskId: string, activity: string): Promise<number[]> {
  const { events } = await client.workflow.getHandle(taskWorkflowId(taskId)).fetchHistory();
  const attempts = new Map<string, number>();
  for (const event of events ?? []) {
    const { activityTaskScheduledEventAttributes: scheduled, activityTaskStartedEventAttributes: started } = event;
    if (scheduled?.activityType?.name === activity) attempts.set(String(event.eventId), 0);
    const scheduledId = String(started?.scheduledEventId);
    if (started && attempts.has(scheduledId)) attempts.set(scheduledId, started.attempt ?? 0);
  }
  return [...attempts.values()];
}
