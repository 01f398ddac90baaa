import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { runner, type MigrationBuilder, type RunnerOption } from 'node-pg-migrate';
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
    migrationLoaderStrategies: [{ extensions: ['.sql'], loader: loadSql }],
    direction,
    count: direction === 'up' ? Infinity : 1,
    logger: {
      debug: (message) => log.trace(message),
      info: (message) => log.debug(message),
      // It warns of migrations outside a transaction, which are meant to be so.
      warn: (message) => log.debug(message),
      error: (message) => log.error(message),
    },
  });
  return migrations.map(({ name }) => name);
}

type Loader = Exclude<NonNullable<RunnerOption['migrationLoaderStrategies']>[number]['loader'], string>;

/**
 * Each migration runs in a transaction of its own, which holds its locks until its end. A change of many rows is one
 * statement that commits in between: its part begins with "-- Outside a transaction".
 */
const loadSql: Loader = (paths) =>
  Promise.all(
    paths.map(async (path) => {
      const [, up = '', down = ''] = (await readFile(path, 'utf8')).split(/^-- (?:Up|Down) Migration$/m);
      return { id: path, filePaths: [path], actions: { up: runSql(up), down: runSql(down) } };
    }),
  );

const runSql = (sql: string) => (pgm: MigrationBuilder) => {
  if (sql.trimStart().startsWith('-- Outside a transaction')) pgm.noTransaction();
  pgm.sql(sql);
};
