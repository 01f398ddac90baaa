import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { Task, type Effect } from '../../contract/task.ts';
import { exitCodes } from '../cli-error.ts';
import type { CommandContext } from '../command-context.ts';
import { table, type Terminal } from '../terminal/terminal.ts';

/** Between two looks at an undo that takes longer than the request, in milliseconds. */
const pollMs = 1_000;

/** `tasks undo`: takes back what an ended task has changed, and waits until that is done. */
export function addUndo(tasks: Command, context: CommandContext) {
  tasks
    .command('undo')
    .description('take back what a task has changed that has ended, newest first; safe to repeat')
    .argument('<id>')
    .option('--json', 'as JSON')
    .action((id: string, options: { json?: boolean }) => undo(id, options, context));
}

async function undo(id: string, { json }: { json?: boolean }, { api, terminal }: CommandContext) {
  const path = `/v1/tasks/${encodeURIComponent(id)}`;
  let task = await api.call(`${path}/undo`, { method: 'POST', answer: Task });
  if (task.effects.some(isUndoing))
    terminal.note('Waiting until everything is taken back; Ctrl-C stops only the wait.');
  while (task.effects.some(isUndoing)) {
    await sleep(pollMs);
    task = await api.call(path, { answer: Task });
  }
  if (json) terminal.printJson(task);
  else printEffects(task, terminal);
  if (task.effects.every(isTakenBack)) return;
  process.exitCode = exitCodes.failed;
  terminal.note('Not everything was taken back.');
}

const isUndoing = ({ state }: Effect) => state === 'undoing';

/** Whether nothing of a call is left in the world: it was undone, or never took effect. */
export const isTakenBack = ({ state }: Effect) => state === 'undone' || state === 'failed';

/** Prints a table of what the task has changed outside, if it has. */
export function printEffects({ effects }: Task, terminal: Terminal) {
  if (effects.length === 0) return;
  const rows = effects.map(({ tool, state, summary }) => [tool, state, summary ?? '']);
  terminal.print(`\n${table([['CHANGED', 'STATE', 'WHAT'], ...rows])}`);
}
