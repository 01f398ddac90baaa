import { proxyActivities } from '@temporalio/workflow';
import type { Activities } from '../../activities/index.ts';
import { housekeeping } from '../policies.ts';

const { sweepTasks } = proxyActivities<Activities>(housekeeping);

/** Brings task rows in line with their workflows; started by a schedule. @returns how many rows were corrected */
export async function sweepTasksWorkflow(): Promise<number> {
  return sweepTasks();
}
