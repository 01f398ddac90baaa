import type { Command } from 'commander';
import type { CommandContext } from '../command-context.ts';

export function addSetup(program: Command, context: CommandContext) {
  program
    .command('setup')
    .description('prepare Postgres and Temporal for this version: schema, search attributes, schedules; safe to repeat')
    .option('--models', 'also fetch the local models that are configured, into their folders')
    .action(async (options: { models?: boolean }) => (await import('../set-up.ts')).setUp(context, options));
}
