import { CommanderError, type Command } from 'commander';
import { exitCodes } from './cli-error.ts';
import { createProgram, neededCommands } from './program.ts';

// The reader of a pipe may stop early (`alfred tasks list | head`): that is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) =>
  process.exit(error.code === 'EPIPE' ? exitCodes.ok : exitCodes.failed),
);

const args = process.argv.slice(2);
const names = neededCommands(args);
// `alfred --version` needs no context, and what it loads takes longer than the rest.
const context = names.length > 0 ? (await import('./create-context.ts')).createContext() : undefined;
let running: Command | undefined;

try {
  if (context && args[0] === 'complete') {
    // Asked by the scripts of `alfred completion`: `complete -- <words>`.
    await (await import('./completion/complete-words.ts')).completeWords(args.slice(2), context);
    process.exit();
  }
  const program = await createProgram(names, context);
  program.hook('preAction', (_, command) => {
    running = command;
  });
  await program.parseAsync(args, { from: 'user' });
} catch (error) {
  // Commander has already printed the message.
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  else process.exitCode = await (await import('./report-error.ts')).reportError(error, { running, context });
}
