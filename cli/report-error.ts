import type { Command } from 'commander';
import { AlfredError } from '../contract/errors.ts';
import { ConfigError } from '../runtime/config.ts';
import { ApiProblem } from './client/api-client.ts';
import { CliError, exitCodes } from './cli-error.ts';
import type { CommandContext } from './command-context.ts';
import { issueInWordsOf } from './issue-of-command.ts';
import { pathOf } from './program.ts';
import { localRun } from './stack.ts';
import { createTerminal } from './terminal/terminal.ts';

type Place = {
  /** The command that failed, when one had begun. */
  running: Command | undefined;
  context: CommandContext | undefined;
};

/** Prints the error of a command. @returns the exit code */
export async function reportError(error: unknown, { running, context }: Place): Promise<number> {
  const terminal = context?.terminal ?? createTerminal();
  terminal.clearStatus();
  const noteHelp = () => running && terminal.note(`(\`${pathOf(running)} --help\` says more)`);
  if (error instanceof ApiProblem && error.issues.length > 0) {
    for (const issue of error.issues) terminal.note(issueInWordsOf(running, issue));
    noteHelp();
    return error.exitCode;
  }
  if (error instanceof CliError) {
    terminal.note(error.message);
    if (error.exitCode === exitCodes.usage) noteHelp();
    return error.exitCode;
  }
  if (error instanceof ConfigError) {
    terminal.note(error.message);
    if (!(await localRun()))
      terminal.note('No stack runs in this clone: `npm start` starts one, and this command finds it.');
    return exitCodes.usage;
  }
  // Its message says what to do. `internal` is a fault of ours, whose place in the code is needed.
  if (error instanceof AlfredError && error.code !== 'internal') {
    terminal.note(error.message);
    return exitCodes.failed;
  }
  terminal.note(
    `Something broke in the command itself: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
  );
  return exitCodes.failed;
}
