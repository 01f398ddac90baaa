import { fileURLToPath } from 'node:url';
import { runner } from 'node-pg-migrate';
import type { Logger } from '../logger.ts';

/**
 * Migrates the schema up to the newest version, or down by one. Several processes may call it at once, because an
 * advisory lock admits one at a time.
 *
 * @returns the names of the migrations that ran
 */
export async function migrate(databaseUrl: string, log: Logger, direction: 'up' | 'down' = 'up'): Promise<string[]> {
  const migrations = await runner({
    databaseUrl,
    dir: fileURLToPath(new URL('./migrations', import.meta.url)),
    migrationsTable: 'migrations',
    direction,
    count: direction === 'up' ? Infinity : 1,
    logger: {
      debug: (message) => log.trace(message),
      info: (message) => log.debug(message),
      warn: (message) => log.warn(message),
      error: (message) => log.error(message),
    },
  });
  return migrations.map(({ name }) => name);
}
