import { proxyActivities, proxyLocalActivities } from '@temporalio/workflow';
import type { BareActivities } from './bare-activities.ts';

const { callModel, runTool } = proxyActivities<BareActivities>({ startToCloseTimeout: '1 min' });
const { startTask, completeTask } = proxyLocalActivities<BareActivities>({ startToCloseTimeout: '10 s' });

/** The baseline: the same activities as a task has, in number, kind and order, which do nothing. */
export async function bareWorkflow({ taskId }: { taskId: string }): Promise<string> {
  await startTask({ taskId });
  await callModel({ taskId, step: 1 });
  await runTool({ taskId, step: 1 });
  await callModel({ taskId, step: 2 });
  await completeTask({ taskId });
  return taskId;
}
