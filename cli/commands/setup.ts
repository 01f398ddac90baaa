import type { Command } from 'commander';
import type { CommandContext } from '../command-context.ts';

type Options = { temporalMoved?: boolean; models?: boolean; json?: boolean };

export function addSetup(program: Command, context: CommandContext) {
  program
    .command('setup')
    .description('prepare Postgres and Temporal for this version: schema, search attributes, schedules; safe to repeat')
    .option(
      '--temporal-moved',
      'the Temporal of this configuration is the right one, although the database knows another or it has lost data: open tasks that it does not know start again from their rows',
    )
    .option('--models', 'also fetch the local models that are configured, into their folders')
    .option('--json', 'as JSON')
    .action(async ({ temporalMoved = false, models = false, json }: Options) => {
      const { setUp } = await import('../set-up.ts');
      const done: string[] = [];
      const print = (line: string) => (json ? void done.push(line) : context.terminal.print(line));
      await setUp({ terminal: context.terminal, print, hasTemporalMoved: temporalMoved, models });
      if (json) context.terminal.printJson({ done });
    });
}
