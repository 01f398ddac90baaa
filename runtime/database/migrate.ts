import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { runner, type MigrationBuilder } from 'node-pg-migrate';
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
    migrationLoaderStrategies: [{ extensions: ['.sql'], loader: (paths) => Promise.all(paths.map(loadMigration)) }],
    migrationsTable: 'migrations',
    direction,
    count: direction === 'up' ? Infinity : 1,
    logger: {
      debug: (message) => log.trace(message),
      info: (message) => log.debug(message),
      // It warns of migrations outside a transaction, which are meant to be so.
      warn: (message) => (/not wrapped in a transaction/.test(message) ? log.debug(message) : log.warn(message)),
      error: (message) => log.error(message),
    },
  });
  return migrations.map(({ name }) => name);
}

async function loadMigration(path: string) {
  const [, up = '', down = ''] = (await readFile(path, 'utf8')).split(/^-- (?:Up|Down) Migration$/m);
  return { id: path, filePaths: [path], actions: { up: runStatements(up), down: runStatements(down) } };
}

/**
 * Each migration runs in one transaction. A part that begins with "-- Outside a transaction" does not: a change of many
 * rows would lock them until its end, and an index is built `CONCURRENTLY`, without a lock for writers, only outside of
 * one. Each of its statements is sent on its own, and a block in `$$` is the only one of its part.
 */
const runStatements = (sql: string) => (builder: MigrationBuilder) => {
  if (!sql.trimStart().startsWith('-- Outside a transaction')) return builder.sql(sql);
  builder.noTransaction();
  const statements = sql.includes('$$') ? [sql] : sql.split(/;$/m);
  for (const statement of statements) if (statement.trim()) builder.sql(statement);
};
