import type { Command } from 'commander';
import type { Context } from '../command-context.ts';

export function addSetup(program: Command, context: Context) {
  program
    .command('setup')
    .description('prepare Postgres and Temporal for this version: schema, search attributes, schedules; safe to repeat')
    .action(async () => (await import('../set-up.ts')).setUp(context));
}
