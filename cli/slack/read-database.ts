import { pino } from 'pino';
import type { Config } from '../../runtime/config.ts';
import { isAway } from '../../runtime/database/database-errors.ts';
import { openPostgres, type Postgres } from '../../runtime/database/postgres.ts';

const attempts = 3;

/** Reads from the database of the stack, and again when it does not answer: a busy machine is slow to connect. */
export async function readDatabase<T>(config: Config, read: (postgres: Postgres) => Promise<T>): Promise<T> {
  const postgres = openPostgres(config, pino({ level: 'silent' }));
  try {
    for (let attempt = 1; attempt < attempts; attempt++)
      try {
        return await read(postgres);
      } catch (error) {
        if (!isAway(error)) throw error;
      }
    return await read(postgres);
  } finally {
    await postgres.close();
  }
}
