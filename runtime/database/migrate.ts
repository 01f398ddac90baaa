import { fileURLToPath } from 'node:url';
import { runner } from 'node-pg-migrate';
import type { Logger } from '../logger.ts';

/**
 * Brings the database to the newest schema. Safe to run by several processes at once: an advisory lock lets one through.
 *
 * @returns the names of the migrations that ran, none when the schema was up to date
 */
export async function migrate(databaseUrl: string, log: Logger, direction: 'up' | 'down' = 'up'): Promise<string[]> {
  const done = await runner({
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
  return done.map((migration) => migration.name);
}
