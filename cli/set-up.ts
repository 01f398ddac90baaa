import { pino } from 'pino';
import { directDatabaseUrl, loadConfig } from '../runtime/config.ts';
import { migrate } from '../runtime/database/migrate.ts';
import { connectTemporal, createClient, registerSearchAttributes } from '../runtime/temporal.ts';
import { ensureSchedules } from '../workers/schedules.ts';
import { CliError } from './cli-error.ts';
import { rethrowDatabaseError } from './rethrow-database-error.ts';
import { stackEnvironment } from './stack.ts';
import type { Terminal } from './terminal/terminal.ts';

/**
 * Applies migrations, and registers search attributes and schedules in Temporal. Safe to repeat.
 *
 * @param options `models`: also fetch the local models that the configuration names
 */
export async function setUp({ terminal }: { terminal: Terminal }, options: { models?: boolean } = {}): Promise<void> {
  const config = loadConfig(await stackEnvironment());
  const names = await migrate(directDatabaseUrl(config), pino({ level: 'silent' })).catch(rethrowDatabaseError(config));
  terminal.print(`Postgres: ${names.length > 0 ? `applied ${names.join(', ')}` : 'the schema is up to date'}`);

  const where = `${config.TEMPORAL_ADDRESS}, namespace ${config.TEMPORAL_NAMESPACE}`;
  const throwTemporalError = (error: Error): never => {
    throw new CliError(
      `Temporal at ${where}: ${error.message}\nIs TEMPORAL_ADDRESS right, and does the namespace exist?`,
      { cause: error },
    );
  };
  const connection = await connectTemporal(config).catch(throwTemporalError);
  try {
    const byHand = await registerSearchAttributes(connection, config.TEMPORAL_NAMESPACE).catch(throwTemporalError);
    if (byHand !== undefined) terminal.note(byHand);
    await ensureSchedules(createClient(connection, config), config).catch(throwTemporalError);
  } finally {
    await connection.close();
  }
  terminal.print(`Temporal: search attributes and schedules are in place (${where})`);
  if (options.models)
    await (await import('./fetch-models.ts')).fetchModels(config, terminal, pino({ level: 'silent' }));
}
