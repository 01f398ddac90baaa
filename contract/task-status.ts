import type { TaskStatus } from './task.ts';

/** Statuses a task never leaves by itself. */
export const isEnded = (status: TaskStatus) => status === 'completed' || status === 'failed' || status === 'cancelled';
