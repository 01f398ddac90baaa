import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { PG_MIGRATE_LOCK_ID, runner, type MigrationBuilder } from 'node-pg-migrate';
import pg from 'pg';
import type { Logger } from '../logger.ts';

/** How long a statement waits for a lock. Short, because all who use the table after it wait behind it. */
const lockTimeoutMs = 3_000;
/** How often a migration that got no lock is tried, and the pauses in between, in which the others go on. */
const retry = { attempts: 60, firstPauseMs: 250, maxPauseMs: 10_000 };
/** How long to wait before asking again whether another process has ended its migrations. */
const turnPollMs = 500;

/**
 * Migrates the schema up to the newest version, or down by one. Several processes may call it at once: one migrates,
 * and the others wait for it.
 *
 * @returns the names of the migrations that ran
 */
export async function migrate(databaseUrl: string, log: Logger, direction: 'up' | 'down' = 'up'): Promise<string[]> {
  const client = new pg.Client({ connectionString: databaseUrl, keepAlive: true, application_name: 'alfred migrate' });
  // An error of the connection fails its query too. Without a listener it would end the process.
  client.on('error', () => {});
  await client.connect();
  try {
    await client.query(withoutLimits);
    await waitForTurn(client, log);
    const names: string[] = [];
    while (true) {
      const name = await runNext(client, log, direction);
      if (name !== undefined) names.push(name);
      if (name === undefined || direction === 'down') return names;
    }
  } finally {
    // For a pooler, which gives the connection to others.
    await client.query(`reset all; select pg_advisory_unlock(${PG_MIGRATE_LOCK_ID})`).catch(() => {});
    await client.end();
  }
}

/** The limits of the role are for requests: an index of a large table takes longer. Not every server knows each one. */
const withoutLimits = `
  select set_config(name, '0', false) from pg_settings where name in
    ('statement_timeout', 'transaction_timeout', 'idle_in_transaction_session_timeout', 'idle_session_timeout')`;

/**
 * Waits until this is the only process that migrates. It asks again and again: a statement that waits for the advisory
 * lock would keep a snapshot, for whose end `CREATE INDEX CONCURRENTLY` of the other process waits.
 */
async function waitForTurn(client: pg.Client, log: Logger): Promise<void> {
  let hasWarned = false;
  while (true) {
    const { rows } = await client.query<{ locked: boolean }>('select pg_try_advisory_lock($1) as locked', [
      PG_MIGRATE_LOCK_ID,
    ]);
    if (rows[0]?.locked) return;
    if (!hasWarned) log.warn('another process migrates this database; this one waits until it has ended');
    hasWarned = true;
    await sleep(turnPollMs);
  }
}

/** @returns the name of the migration that ran; undefined when there was none left */
async function runNext(client: pg.Client, log: Logger, direction: 'up' | 'down'): Promise<string | undefined> {
  let pauseMs = retry.firstPauseMs;
  let attempt = 0;
  while (true) {
    attempt++;
    const problems: string[] = [];
    try {
      const [migration] = await runner({
        dbClient: client,
        // `waitForTurn` has it.
        noLock: true,
        dir: fileURLToPath(new URL('./migrations', import.meta.url)),
        migrationLoaderStrategies: [{ extensions: ['.sql'], loader: (paths) => Promise.all(paths.map(loadMigration)) }],
        migrationsTable: 'migrations',
        direction,
        count: 1,
        logger: runnerLog(log, problems),
      });
      return migration?.name;
    } catch (error) {
      await client.query('rollback').catch(() => {});
      const isLocked = isLockFailure(error);
      if (isLocked && attempt < retry.attempts) {
        log.warn({ attempt, error: error.message }, 'a migration waits for a table that others use; it tries again');
        await sleep(pauseMs);
        pauseMs = Math.min(2 * pauseMs, retry.maxPauseMs);
        continue;
      }
      for (const problem of problems) log.error(problem);
      if (isLocked)
        error.message = `a table could not be locked in ${attempt} attempts (${error.message}). A long transaction uses it, such as a backup or an open session: find it in pg_stat_activity, let it end, and migrate again. What has been applied stays applied.`;
      throw error;
    }
  }
}

/** A lock was not free in time (55P03), or Postgres has ended one of two transactions that lock each other (40P01). */
const isLockFailure = (error: unknown): error is Error =>
  error instanceof Error && ['55P03', '40P01'].includes(String((error as { code?: unknown }).code));

/** @param problems gets the errors, which are thrown too: some are only a reason to try again */
const runnerLog = (log: Logger, problems: string[]) => ({
  debug: (message: string) => log.trace(message),
  info: (message: string) => log.debug(message),
  // It warns of migrations outside a transaction, which are meant to be so.
  warn: (message: string) => (/not wrapped in a transaction/.test(message) ? log.debug(message) : log.warn(message)),
  error: (message: string) => problems.push(message),
});

async function loadMigration(path: string) {
  const [, up = '', down = ''] = (await readFile(path, 'utf8')).split(/^-- (?:Up|Down) Migration$/m);
  return { id: path, filePaths: [path], actions: { up: runStatements(up), down: runStatements(down) } };
}

/**
 * Each migration runs in one transaction. A part that begins with "-- Outside a transaction" does not: a change of many
 * rows would lock them until its end, and an index is built `CONCURRENTLY`, without a lock for writers, only outside of
 * one. Each of its statements is sent on its own, and a block in `$$` is the only one of its part.
 *
 * What is built `CONCURRENTLY` waits for older transactions as long as it takes, because no statement waits for it.
 * Each other statement has the limit, also of the same part.
 */
const runStatements = (sql: string) => (builder: MigrationBuilder) => {
  const isWhole = !sql.trimStart().startsWith('-- Outside a transaction');
  if (!isWhole) builder.noTransaction();
  const statements = isWhole || sql.includes('$$') ? [sql] : sql.split(/;$/m);
  for (const statement of statements) {
    if (!statement.trim()) continue;
    const waits = /\bindex\s+concurrently\b/i.test(withoutComments(statement));
    builder.sql(`set lock_timeout = ${waits ? 0 : lockTimeoutMs}`);
    builder.sql(statement);
  }
};

const withoutComments = (sql: string) => sql.replaceAll(/--.*$/gm, '');
