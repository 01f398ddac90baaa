import { pino } from 'pino';
import { createAdapters, type Adapters } from '../wiring/adapters.ts';
import type { Config } from '../runtime/config.ts';
import { openPostgres } from '../runtime/database/postgres.ts';
import { connectTemporal, createClient } from '../runtime/temporal.ts';
import { rethrowDatabaseError } from './rethrow-database-error.ts';

export type OpenAdapters = { adapters: Adapters; close: () => Promise<void> };

/** Opens Postgres and Temporal for a command that works on the stack's data directly, not through the API. */
export async function openAdapters(config: Config): Promise<OpenAdapters> {
  const log = pino({ level: 'silent' });
  const connection = await connectTemporal(config);
  const postgres = openPostgres(config, log);
  const adapters = createAdapters({ config, log, postgres, client: createClient(connection, config) });
  await postgres.pool.query('select 1').catch(rethrowDatabaseError(config));
  return {
    adapters,
    async close() {
      await adapters.close();
      await postgres.close();
      await connection.close();
    },
  };
}
