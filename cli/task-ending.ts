import type { TerminalTaskEvent } from '../contract/events.ts';
import { exitCodes } from './cli-error.ts';
import type { Terminal } from './terminal/terminal.ts';

/** Ended at its budget, before there was an answer. A version before this one called that `task.completed` too. */
const isIncomplete = (event: TerminalTaskEvent) =>
  event.type === 'task.incomplete' || (event.type === 'task.completed' && event.data.result.incomplete !== undefined);

/** Prints why there is no answer, or only a part of one. Prints nothing for a complete answer. */
export function printFailureReason(terminal: Terminal, event: TerminalTaskEvent) {
  if (event.type === 'task.failed')
    terminal.note(`The task failed: ${event.data.error.message} (${event.data.error.code})`, 'red');
  if (event.type === 'task.cancelled') terminal.note(event.data.reason);
  if (isIncomplete(event)) terminal.note('The budget ended first: this is what there was.');
}

/** The exit code of a command that waited for this task. */
export function exitCodeOf(event: TerminalTaskEvent): number {
  if (event.type === 'task.cancelled') return exitCodes.cancelled;
  return event.type === 'task.completed' && !isIncomplete(event) ? exitCodes.ok : exitCodes.failed;
}
