import type { Command } from 'commander';
import type { CommandContext } from '../command-context.ts';

export function addSetup(program: Command, context: CommandContext) {
  program
    .command('setup')
    .description('prepare Postgres and Temporal for this version: schema, search attributes, schedules; safe to repeat')
    .option(
      '--temporal-moved',
      'the Temporal of this configuration is the right one, although the database knows another or it has lost data: open tasks that it does not know start again from their rows',
    )
    .option('--models', 'also fetch the local models that are configured, into their folders')
    .action(async ({ temporalMoved = false, models = false }: { temporalMoved?: boolean; models?: boolean }) =>
      (await import('../set-up.ts')).setUp({ ...context, hasTemporalMoved: temporalMoved, models }),
    );
}
