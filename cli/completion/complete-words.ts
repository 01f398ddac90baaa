import tab from '@bomb.sh/tab/commander';
import type { Complete } from '@bomb.sh/tab';
import type { CommandContext } from '../command-context.ts';
import { agents } from '../../agents/index.ts';
import { commandNames, createProgram, neededCommands } from '../program.ts';
import { shells } from './scripts.ts';

/**
 * Prints what can stand in place of the last word: a line each, with a tab before its description, then the library's
 * own last line, which begins with a colon.
 */
export async function completeWords(words: readonly string[], context: CommandContext): Promise<void> {
  // The library adds its own command `completion`. Behind a command, only that one is loaded.
  const needed = words.length > 1 ? neededCommands(words) : commandNames;
  const names = needed.filter((name) => name !== 'completion');
  const root = tab(await createProgram(names, context), { completionCommandName: 'completion' });
  const offer = (values: readonly string[]) => (complete: Complete) => {
    for (const value of values) complete(value, '');
  };
  const shell = root.commands.get('completion')?.arguments.get('shell');
  if (shell) shell.handler = offer(shells);
  for (const command of root.commands.values()) {
    const agent = command.options.get('agent');
    if (agent) agent.handler = offer(Object.keys(agents));
  }
  root.parse([...words]);
}
