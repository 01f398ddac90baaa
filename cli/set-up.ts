import { loadConfig } from '../runtime/config.ts';
import { migrate } from '../runtime/database/migrate.ts';
import { connectTemporal, createClient, registerSearchAttributes } from '../runtime/temporal.ts';
import { ensureSchedules } from '../workers/schedules.ts';
import { CliError } from './cli-error.ts';
import type { Context } from './command-context.ts';
import { databaseProblem } from './rethrow-database-error.ts';
import { silentLog } from './silent-log.ts';
import { stackEnvironment } from './stack.ts';

/** Brings Postgres and Temporal to what this version needs. Safe to repeat. */
export async function setUp({ terminal }: Pick<Context, 'terminal'>): Promise<void> {
  const config = loadConfig(await stackEnvironment());
  const names = await migrate(config.DATABASE_URL, silentLog).catch(databaseProblem(config));
  terminal.print(`Postgres: ${names.length > 0 ? `applied ${names.join(', ')}` : 'the schema is up to date'}`);

  const where = `${config.TEMPORAL_ADDRESS}, namespace ${config.TEMPORAL_NAMESPACE}`;
  const refused = (error: Error): never => {
    throw new CliError(
      `Temporal at ${where}: ${error.message}\nIs TEMPORAL_ADDRESS right, and does the namespace exist?`,
      { cause: error },
    );
  };
  const connection = await connectTemporal(config).catch(refused);
  try {
    await registerSearchAttributes(connection, config.TEMPORAL_NAMESPACE).catch(refused);
    await ensureSchedules(createClient(connection, config), config).catch(refused);
  } finally {
    await connection.close();
  }
  terminal.print(`Temporal: search attributes and schedules are in place (${where})`);
}
