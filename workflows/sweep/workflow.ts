import { proxyActivities } from '@temporalio/workflow';
import type { Activities } from '../../activities/index.ts';
import { housekeeping } from '../policies.ts';

const { sweepTasks } = proxyActivities<Activities>(housekeeping);

/** Reconciles rows with their workflows; a schedule starts it. @returns how many task rows were corrected */
export async function sweepTasksWorkflow(): Promise<number> {
  return sweepTasks();
}
