import type { types } from '@slack/bolt';
import type { TaskView } from './task-view.ts';

const statuses = { running: 'in_progress', done: 'complete', error: 'error' } as const;

/** The steps that changed between two views, as chunks for a stream. Slack recognises a step by its id. */
export function stepChunks(before: Pick<TaskView, 'steps'>, after: Pick<TaskView, 'steps'>): types.TaskUpdateChunk[] {
  const known = new Map(before.steps.map((step) => [step.id, step]));
  return after.steps
    .filter((step) => known.get(step.id)?.state !== step.state)
    .map(({ id, title, state, details }) => ({
      type: 'task_update',
      id,
      title,
      status: statuses[state],
      ...(details === undefined ? {} : { details }),
    }));
}
