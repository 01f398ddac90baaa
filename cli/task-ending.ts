import { exitCodes } from './cli-error.ts';
import type { LastEvent } from './client/follow-events.ts';
import type { Terminal } from './terminal/terminal.ts';

const isIncomplete = (event: LastEvent) =>
  event.type === 'task.completed' && event.data.result.incomplete !== undefined;

/** Why there is no answer, or only a part of one. */
export function noteEnding(terminal: Terminal, event: LastEvent) {
  if (event.type === 'task.failed')
    terminal.note(`The task failed: ${event.data.error.message} (${event.data.error.code})`, 'red');
  if (event.type === 'task.cancelled') terminal.note(event.data.reason);
  if (isIncomplete(event)) terminal.note('The budget ended first: this is what there was.');
}

/** What a command ends with that waited for this. */
export function exitCodeOf(event: LastEvent): number {
  if (event.type === 'task.cancelled') return exitCodes.cancelled;
  return event.type === 'task.completed' && !isIncomplete(event) ? exitCodes.ok : exitCodes.failed;
}
