import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import type { Config } from '../config.ts';
import type { Logger } from '../logger.ts';
import { PreparingClient } from './preparing-client.ts';
import type { Tables } from './tables.ts';

export type Database = Kysely<Tables>;
export type Pool = pg.Pool;

// `bigint` and `numeric` columns hold token counts and dollars, far below 2^53: as numbers they stay exact enough.
pg.types.setTypeParser(pg.types.builtins.INT8, Number);
pg.types.setTypeParser(pg.types.builtins.NUMERIC, Number);

export type Postgres = { pool: Pool; db: Database; close(): Promise<void> };

/**
 * Limits of each connection. They are set by a statement and not in the startup packet, which poolers like PgBouncer
 * refuse when it has parameters that they do not know. Behind a pooler in transaction mode the statement reaches one of
 * its connections only: there the limits are also set for the role, see docs/run-book.md.
 */
const limits = "set statement_timeout = '30s'; set idle_in_transaction_session_timeout = '60s'";

type PostgresConfig = Pick<Config, 'DATABASE_URL' | 'DATABASE_POOL_SIZE' | 'DATABASE_PREPARED_STATEMENTS'>;

/** One pool a process. It connects on first use, and again after the server was away. */
export function openPostgres(config: PostgresConfig, log: Logger): Postgres {
  const pool = new pg.Pool({
    ...(config.DATABASE_PREPARED_STATEMENTS ? { Client: PreparingClient } : {}),
    connectionString: config.DATABASE_URL,
    max: config.DATABASE_POOL_SIZE,
    connectionTimeoutMillis: 5_000,
    idleTimeoutMillis: 60_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    application_name: 'alfred',
    onConnect: async (client: pg.ClientBase) => void (await client.query(limits)),
  });
  // A connection that breaks while it is in use fails its query and also
  // emits `error`. Without a listener the event would end the process.
  pool.on('connect', (client) => client.on('error', () => {}));
  pool.on('error', (error) => log.warn({ error: error.message }, 'a database connection was lost'));
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
  return {
    pool,
    db,
    async close() {
      await db.destroy();
      // Kysely does not end a pool that it has never used.
      if (!pool.ending) await pool.end();
    },
  };
}

/** SQLSTATE: class 08 are connection errors, 57P0x a server that stops or starts, class 53 exhausted resources. */
const unavailableStates = /^(08...|57P0[1-5]|53[0-4]00)$/;
const unavailableCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
  'EAI_AGAIN',
  'ENOENT',
]);

/** Whether an error means that the database is not available, so that a retry can help. */
export function isDatabaseUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = (error as { code?: unknown }).code;
  if (typeof code === 'string') return unavailableStates.test(code) || unavailableCodes.has(code);
  if (error instanceof AggregateError) return error.errors.some(isDatabaseUnavailable);
  return /Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error/.test(
    error.message,
  );
}
