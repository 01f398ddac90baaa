import { createAdapters, type Adapters } from '../wiring/adapters.ts';
import type { Config } from '../runtime/config.ts';
import { openPostgres } from '../runtime/database/postgres.ts';
import { connectTemporal, createClient } from '../runtime/temporal.ts';
import { databaseProblem } from './rethrow-database-error.ts';
import { silentLog } from './silent-log.ts';

export type OpenAdapters = { adapters: Adapters; close: () => Promise<void> };

/** What stands behind the ports, for a command that works on the stack's own data. */
export async function openAdapters(config: Config): Promise<OpenAdapters> {
  const connection = await connectTemporal(config);
  const postgres = openPostgres(config, silentLog);
  const adapters = createAdapters({ config, log: silentLog, postgres, client: createClient(connection, config) });
  await postgres.pool.query('select 1').catch(databaseProblem(config));
  return {
    adapters,
    async close() {
      await adapters.close();
      await postgres.close();
      await connection.close();
    },
  };
}
