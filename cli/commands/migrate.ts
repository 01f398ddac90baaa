import { createInterface } from 'node:readline/promises';
import { Argument, type Command } from 'commander';
import { exitCodes, usageError } from '../cli-error.ts';
import type { CommandContext } from '../command-context.ts';
import { loadStackConfig } from '../load-stack-config.ts';

export function addMigrate(program: Command, { terminal }: CommandContext) {
  program
    .command('migrate')
    .description("bring the database's schema up to date, or take its last step back")
    .addArgument(new Argument('[direction]').choices(['up', 'down']).default('up'))
    .option('-y, --yes', 'do not ask before a step back, which deletes data')
    .option('--json', 'as JSON')
    .action(async (direction: 'up' | 'down', { yes, json }: { yes?: boolean; json?: boolean }) => {
      const config = await loadStackConfig();
      if (direction === 'down' && !yes && !(await confirmDown())) {
        terminal.note('Nothing was done.');
        process.exitCode = exitCodes.failed;
        return;
      }
      const { migrate } = await import('../../runtime/database/migrate.ts');
      const { directDatabaseUrl } = await import('../../runtime/database/database-url.ts');
      const { rethrowDatabaseError } = await import('../rethrow-database-error.ts');
      const { createMigrationLog } = await import('../migration-log.ts');
      const log = createMigrationLog(terminal);
      const names = await migrate(directDatabaseUrl(config), log, direction).catch(rethrowDatabaseError(config));
      if (json) return terminal.printJson({ direction, migrations: names });
      if (names.length === 0)
        terminal.print(direction === 'up' ? 'The schema is up to date.' : 'There is no step to take back.');
      for (const name of names) terminal.print(`${direction === 'up' ? 'applied' : 'took back'} ${name}`);
    });
}

async function confirmDown(): Promise<boolean> {
  if (!process.stdin.isTTY)
    throw usageError('A step back deletes the tables it made, with their data. Say --yes if that is meant.');
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await prompt.question(
    'This deletes the tables of the last migration, with their data. Type "yes" to go on: ',
  );
  prompt.close();
  return answer.trim() === 'yes';
}
