import type { types } from '@slack/bolt';
import { oneLine } from './cut.ts';
import { withoutMentions } from './mentions.ts';
import { maxStepText } from './limits.ts';
import type { TaskStep, TaskView } from './task-view.ts';

const statuses = { pending: 'pending', running: 'in_progress', done: 'complete', error: 'error' } as const;

const lineOf = (text: string) => oneLine(withoutMentions(text), maxStepText);

/** Slack adds details to the details that it has. */
function toChunk({ id, title, state, details }: TaskStep, before: TaskStep | undefined): types.TaskUpdateChunk {
  const text = details === undefined || details === before?.details ? '' : lineOf(details);
  const field = state === 'pending' || state === 'running' ? 'details' : 'output';
  return {
    type: 'task_update',
    id,
    title: lineOf(title),
    status: statuses[state],
    ...(text === '' ? {} : { [field]: field === 'details' && before?.details ? `\n${text}` : text }),
  };
}

/** The steps that changed between two views, as chunks for a stream. Slack recognises a step by its id. */
export function stepChunks(before: Pick<TaskView, 'steps'>, after: Pick<TaskView, 'steps'>): types.TaskUpdateChunk[] {
  const known = new Map(before.steps.map((step) => [step.id, step]));
  return after.steps
    .filter(({ id, state, details }) => known.get(id)?.state !== state || known.get(id)?.details !== details)
    .map((step) => toChunk(step, known.get(step.id)));
}
