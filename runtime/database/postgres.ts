import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import type { Config } from '../config.ts';
import type { Logger } from '../logger.ts';
import { rethrowMarked } from './database-errors.ts';
import { readPassword, type DatabaseAddress } from './database-url.ts';
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
 * its connections only: there the limits are also set for the role, see docs/how-to/run-behind-pgbouncer.md.
 */
const limits = "set statement_timeout = '30s'; set idle_in_transaction_session_timeout = '60s'";

type PostgresConfig = DatabaseAddress & Pick<Config, 'DATABASE_POOL_SIZE' | 'DATABASE_PREPARED_STATEMENTS'>;

/** One pool a process. It connects on first use, and again after the server was away. */
export function openPostgres(config: PostgresConfig, log: Logger): Postgres {
  const { DATABASE_PASSWORD_FILE: passwordFile, DATABASE_PREPARED_STATEMENTS: prepares } = config;
  const pool = new pg.Pool({
    Client: PreparingClient,
    connectionString: config.DATABASE_URL,
    max: config.DATABASE_POOL_SIZE,
    connectionTimeoutMillis: 5_000,
    idleTimeoutMillis: 60_000,
    // For a server that vanished: without it a statement waits for its answer for a quarter of an hour.
    query_timeout: 40_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    application_name: 'alfred',
    prepares,
    ...(passwordFile === undefined ? {} : { readPassword: () => readPassword(passwordFile) }),
    // The pool waits for the promise, which its types leave out.
    ...({ onConnect: (client: pg.ClientBase) => client.query(limits) } as object),
  } as pg.PoolConfig);
  // A connection that breaks while it is in use fails its query and also
  // emits `error`. Without a listener the event would end the process.
  pool.on('connect', (client) => client.on('error', () => {}));
  pool.on('error', (error) => log.warn({ error: error.message }, 'a database connection was lost'));
  const markedPool = {
    async connect() {
      const client = (await pool.connect().catch(rethrowMarked)) as pg.PoolClient & PreparingClient;
      const release = client.release.bind(client);
      // The pool closes a client that is released with `true`.
      client.release = (error) => release(error ?? client.isSpoilt);
      return client;
    },
    end: () => pool.end(),
  };
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool: markedPool }) });
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
