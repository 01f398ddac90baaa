import { join } from 'node:path';
import { freePort } from '../../deploy/local/ports/ports.ts';
import { startPostgres } from '../../deploy/local/servers/postgres.ts';
import { obtainTemporalBinary } from '../../deploy/local/servers/temporal-binary.ts';
import { startTemporalServer } from '../../deploy/local/servers/temporal-server.ts';
import { loadConfig } from '../../runtime/config.ts';
import type { Logger } from '../../runtime/logger.ts';
import { migrate } from '../../runtime/database/migrate.ts';

/** Called at the end, the last one first. */
export type Cleanups = (() => Promise<unknown>)[];

/** Where a benchmark runs: the folder of its servers, its log, and what ends them. */
export type Surroundings = { dir: string; log: Logger; cleanups: Cleanups };

/**
 * Starts Postgres and Temporal as `npm start` does: on disk and durable.
 *
 * @param variables of the configuration
 */
export async function startServers({ dir, log, cleanups }: Surroundings, variables: Record<string, string>) {
  const postgres = await startDatabase({ dir, log, cleanups });
  const temporal = await startTemporalServer({
    binary: await obtainTemporalBinary({ log }),
    port: await freePort(),
    dbFile: join(dir, 'temporal.db'),
    logFile: join(dir, 'temporal.log'),
    log,
  });
  cleanups.push(() => temporal.stop());
  const config = loadConfig({
    DATABASE_URL: postgres.url,
    TEMPORAL_ADDRESS: temporal.address,
    ALFRED_DATA_DIR: dir,
    ALFRED_API_PORT: '0',
    ALFRED_LOG_LEVEL: 'warn',
    ...variables,
  });
  return { config, pids: { Temporal: temporal.pid, Postgres: postgres.pid } };
}

/** Starts Postgres as `npm start` does, with the schema. */
export async function startDatabase({ dir, log, cleanups }: Surroundings) {
  const postgres = await startPostgres({ dir: join(dir, 'postgres'), port: await freePort(), log });
  cleanups.push(() => postgres.stop());
  await migrate(postgres.url, log);
  return postgres;
}
