import type { types } from '@slack/bolt';
import { oneLine } from './cut.ts';
import { withoutMentions } from './mentions.ts';
import { maxStepText } from './limits.ts';
import type { TaskStep, TaskView } from './task-view.ts';

const statuses = { running: 'in_progress', done: 'complete', error: 'error' } as const;

const lineOf = (text: string) => oneLine(withoutMentions(text), maxStepText);

const toChunk = ({ id, title, state, details }: TaskStep): types.TaskUpdateChunk => ({
  type: 'task_update',
  id,
  title: lineOf(title),
  status: statuses[state],
  ...(details ? { [state === 'running' ? 'details' : 'output']: lineOf(details) } : {}),
});

/** The steps that changed between two views, as chunks for a stream. Slack recognises a step by its id. */
export function stepChunks(before: Pick<TaskView, 'steps'>, after: Pick<TaskView, 'steps'>): types.TaskUpdateChunk[] {
  const known = new Map(before.steps.map((step) => [step.id, step]));
  return after.steps
    .filter(({ id, state, details }) => known.get(id)?.state !== state || known.get(id)?.details !== details)
    .map(toChunk);
}
