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

/**
 * Starts Postgres and Temporal as `npm start` does: on disk and durable.
 *
 * @param variables of the configuration
 */
export async function startServers(dir: string, log: Logger, cleanups: Cleanups, variables: Record<string, string>) {
  const postgres = await startPostgres({ dir: join(dir, 'postgres'), port: await freePort(), log });
  cleanups.push(() => postgres.stop());
  const temporal = await startTemporalServer({
    binary: await obtainTemporalBinary({ log }),
    port: await freePort(),
    dbFile: join(dir, 'temporal.db'),
    logFile: join(dir, 'temporal.log'),
    log,
  });
  cleanups.push(() => temporal.stop());
  await migrate(postgres.url, log);
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
