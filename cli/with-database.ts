import type { Config } from '../runtime/config.ts';
import type { Database } from '../runtime/database/postgres.ts';
import { loadStackConfig } from './load-stack-config.ts';

/** Opens the database for one command. */
export async function withDatabase<T>(run: (deps: { config: Config; db: Database }) => Promise<T>): Promise<T> {
  const config = await loadStackConfig();
  const [{ pino }, { openPostgres }, { rethrowDatabaseError }] = await Promise.all([
    import('pino'),
    import('../runtime/database/postgres.ts'),
    import('./rethrow-database-error.ts'),
  ]);
  const postgres = openPostgres(config, pino({ level: 'silent' }));
  try {
    return await run({ config, db: postgres.db }).catch(rethrowDatabaseError(config));
  } finally {
    await postgres.close();
  }
}
