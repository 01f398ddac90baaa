import { Argument, type Command } from 'commander';
import type { CommandContext } from '../command-context.ts';
import { completionScripts, shells, type Shell } from '../completion/scripts.ts';

/** `alfred completion <shell>` prints a script; that script asks `alfred complete` at each press of the tab key. */
export function addCompletion(program: Command, { terminal }: CommandContext) {
  program
    .command('completion')
    .description('print the script that lets a shell complete commands, options and values')
    .addArgument(new Argument('<shell>', 'which shell').choices(shells))
    .action((shell: Shell) => terminal.print(completionScripts[shell]));
}
