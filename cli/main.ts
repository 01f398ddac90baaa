import { Command, CommanderError } from 'commander';
import { AlfredError } from '../contract/errors.ts';
import { ConfigError } from '../runtime/config.ts';
import { version } from '../runtime/version.ts';
import { createApiClient } from './client/api-client.ts';
import { CliError, exitCodes } from './cli-error.ts';
import { addAgents } from './commands/agents.ts';
import { addApprovals } from './commands/approvals.ts';
import { addAsk } from './commands/ask.ts';
import { addChat } from './commands/chat.ts';
import { addCollections } from './commands/collections.ts';
import { addConfig } from './commands/config.ts';
import { addConversations } from './commands/conversations.ts';
import { addDocuments } from './commands/documents.ts';
import { addEval } from './commands/eval.ts';
import { addHistory } from './commands/history.ts';
import { addIndex } from './commands/index.ts';
import { addMigrate } from './commands/migrate.ts';
import { addReplay } from './commands/replay.ts';
import { addSchedules } from './commands/schedules.ts';
import { addSearch } from './commands/search.ts';
import { addSources } from './commands/sources.ts';
import { addSetup } from './commands/setup.ts';
import { addTasks } from './commands/tasks.ts';
import { addUsage } from './commands/usage.ts';
import type { CommandContext } from './command-context.ts';
import { findStack, localRun } from './stack.ts';
import { createTerminal } from './terminal/terminal.ts';

const terminal = createTerminal();
const context: CommandContext = { terminal, api: createApiClient(() => findStack()) };

const program = new Command('alfred')
  .description('Durable AI agents for a company, on Temporal.')
  .version(version)
  .showHelpAfterError('(`alfred help` lists the commands)')
  .addHelpText(
    'after',
    '\nFinds Alfred by ALFRED_URL, else the stack that runs in this clone, else http://127.0.0.1:8080.',
  )
  .exitOverride();
const commands = [
  addAsk,
  addChat,
  addConversations,
  addDocuments,
  addCollections,
  addSearch,
  addTasks,
  addApprovals,
  addSchedules,
  addSources,
  addUsage,
  addEval,
  addIndex,
  addAgents,
  addConfig,
  addReplay,
  addHistory,
  addMigrate,
  addSetup,
];
for (const add of commands) add(program, context);

// The reader of a pipe may stop early (`alfred tasks list | head`): that is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) =>
  process.exit(error.code === 'EPIPE' ? exitCodes.ok : exitCodes.failed),
);

try {
  await program.parseAsync(process.argv);
} catch (error) {
  terminal.clearStatus();
  process.exitCode = report(error);
  if (error instanceof ConfigError && !(await localRun()))
    terminal.note('No stack runs in this clone: `npm start` starts one, and this command finds it.');
}

/** Prints the error. @returns the exit code */
function report(error: unknown): number {
  // Commander has already printed the message.
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  if (error instanceof CliError || error instanceof ConfigError) {
    terminal.note(error.message);
    return error instanceof CliError ? error.exitCode : exitCodes.usage;
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
