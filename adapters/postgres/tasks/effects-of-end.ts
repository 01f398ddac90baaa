import { sql } from 'kysely';
import type { Queries } from '../with-queries.ts';
import { makeCallbackDue } from './callbacks.ts';
import { foldText } from './fold-text.ts';

/** Queries of the statement that ends `task`. `callback` has a row when the task has a callback. */
export const effectsOfEnd = (taskId: string): Queries => ({
  // Text of attempts that vanished with their workers.
  ...foldText(taskId),
  callback: makeCallbackDue,
  // No person needs to decide about its calls any more.
  withdrawn: sql`
    update approvals a set status = 'withdrawn' from task where a.task_id = task.id and a.status = 'pending'`,
});
