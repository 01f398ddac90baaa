import type { TaskStatus } from './task.ts';

/** Whether the task has ended. Only a workflow reset can make an ended task run again. */
export const isEnded = (status: TaskStatus) =>
  status === 'completed' || status === 'incomplete' || status === 'failed' || status === 'cancelled';
