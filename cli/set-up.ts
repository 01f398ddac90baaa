import type { NativeConnection } from '@temporalio/worker';
import { pino } from 'pino';
import { AlfredError } from '../contract/errors.ts';
import type { Config } from '../runtime/config.ts';
import { migrate } from '../runtime/database/migrate.ts';
import { openPostgres } from '../runtime/database/postgres.ts';
import { adoptNamespace, checkNamespace } from '../runtime/temporal-namespace.ts';
import { connectTemporal, createClient, registerSearchAttributes } from '../runtime/temporal.ts';
import { createAdapters } from '../wiring/adapters.ts';
import { ensureSchedules } from '../workers/schedules.ts';
import { CliError } from './cli-error.ts';
import { directDatabaseUrl } from '../runtime/database/database-url.ts';
import { rethrowDatabaseError } from './rethrow-database-error.ts';
import { createMigrationLog } from './migration-log.ts';
import { loadStackConfig } from './load-stack-config.ts';
import type { Terminal } from './terminal/terminal.ts';

type SetUp = {
  terminal: Terminal;
  /** Gets a line for each thing that is in place. */
  print: (line: string) => void;
  /** Temporal was moved or has lost data: what it does not know is to start again from the rows. */
  hasTemporalMoved: boolean;
  /** Also fetch the local models that the configuration names. */
  models: boolean;
};

const log = pino({ level: 'silent' });

/** Applies migrations, and registers search attributes and schedules in Temporal. Safe to repeat. */
export async function setUp({ terminal, print, hasTemporalMoved, models }: SetUp): Promise<void> {
  const config = await loadStackConfig();
  const names = await migrate(directDatabaseUrl(config), createMigrationLog(terminal)).catch(
    rethrowDatabaseError(config),
  );
  print(`Postgres: ${names.length > 0 ? `applied ${names.join(', ')}` : 'the schema is up to date'}`);

  const where = `${config.TEMPORAL_ADDRESS}, namespace ${config.TEMPORAL_NAMESPACE}`;
  const throwTemporalError = (error: Error): never => {
    if (error instanceof AlfredError && error.code === 'wrong_namespace') throw new CliError(error.message);
    throw new CliError(
      `Temporal at ${where}: ${error.message}\nIs TEMPORAL_ADDRESS right, and does the namespace exist?`,
      { cause: error },
    );
  };
  const connection = await connectTemporal(config).catch(throwTemporalError);
  try {
    await prepareTemporal({ config, connection, terminal, print, hasTemporalMoved }).catch(throwTemporalError);
  } finally {
    await connection.close();
  }
  print(`Temporal: search attributes and schedules are in place (${where})`);
  if (models) await (await import('./fetch-models.ts')).fetchModels(config, { terminal, print }, log);
}

async function prepareTemporal({
  config,
  connection,
  terminal,
  print,
  hasTemporalMoved,
}: Omit<SetUp, 'models'> & { config: Config; connection: NativeConnection }): Promise<void> {
  const client = createClient(connection, config);
  const postgres = openPostgres(config, log);
  const deps = { db: postgres.db, client, config };
  try {
    // First, so that nothing is written to the wrong namespace.
    if (hasTemporalMoved) {
      const { previousId } = await adoptNamespace(deps);
      print(
        `Temporal: ${previousId === undefined ? 'the namespace is the one of this database' : 'this is the namespace of the database from now on'}; open tasks that it does not know start again from their rows`,
      );
    } else await checkNamespace(deps);
    const byHand = await registerSearchAttributes(connection, config.TEMPORAL_NAMESPACE);
    if (byHand !== undefined) terminal.note(byHand);
    await ensureSchedules(client, config);
    const adapters = createAdapters({ config, log, postgres, client });
    try {
      const { created, deleted } = await adapters.scheduleAlignment.align();
      if (created + deleted > 0) print(`Temporal: ${created} schedules created, ${deleted} deleted`);
    } finally {
      await adapters.close();
    }
  } finally {
    await postgres.close();
  }
}
