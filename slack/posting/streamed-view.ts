import type { TaskEvent } from '../../contract/events.ts';
import { applyEvent, emptyView, type TaskView } from '../rendering/task-view.ts';

type StepText = { step: number; text: string };

/**
 * What is shown while a task runs. `view.text` begins again with each step, but what an earlier step has written is no
 * error: `text` keeps it. Only the text of an attempt that failed is void.
 */
export type StreamedView = {
  view: TaskView;
  /** Markdown of all steps so far. It grows, until text becomes void. */
  text: string;
  /** The texts that count, in the order of the steps. The last is the current step's. */
  steps: readonly StepText[];
};

export const emptyStreamedView: StreamedView = { view: emptyView, text: '', steps: [] };

/** Pure. An event that is applied already is ignored. */
export function applyToStream(streamed: StreamedView, event: TaskEvent): StreamedView {
  if (event.seq <= streamed.view.seq) return streamed;
  const view = applyEvent(streamed.view, event);
  const steps = applyToSteps(streamed.steps, event);
  if (steps === streamed.steps) return { ...streamed, view };
  const texts = steps.map(({ text }) => text).filter((text) => text !== '');
  return { view, steps, text: texts.join('\n\n') };
}

function applyToSteps(steps: readonly StepText[], event: TaskEvent): readonly StepText[] {
  const last = steps.at(-1);
  switch (event.type) {
    case 'model.started': {
      const { step, purpose } = event.data;
      if (purpose !== undefined) return steps;
      // A new attempt at the step. After a reset in Temporal also later steps are repeated.
      return [...steps.filter((other) => other.step < step), { step, text: '' }];
    }
    case 'text.delta': {
      if (last?.step !== event.data.step) return steps;
      return [...steps.slice(0, -1), { step: last.step, text: last.text + event.data.text }];
    }
    case 'model.corrected':
      return last?.step === event.data.step ? steps.slice(0, -1) : steps;
    default:
      return steps;
  }
}
