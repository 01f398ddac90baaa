import type { Config } from '../runtime/config.ts';
import { isAway } from '../runtime/database/database-errors.ts';
import { directDatabaseUrl } from '../runtime/database/database-url.ts';
import { CliError } from './cli-error.ts';

/**
 * For `catch`: rethrows an error of Postgres as one that names the server and database, without user and password.
 *
 * @throws CliError always
 */
export const rethrowDatabaseError =
  (config: Pick<Config, 'DATABASE_URL' | 'DATABASE_DIRECT_URL'>) =>
  (error: unknown): never => {
    const { host, pathname } = new URL(directDatabaseUrl(config));
    const message = error instanceof Error ? error.message || ((error as { code?: string }).code ?? '') : String(error);
    if (isAway(error))
      throw new CliError(
        `Postgres does not answer at ${host}${pathname}: ${message}\nStart it, or correct DATABASE_URL.`,
        { cause: error },
      );
    throw new CliError(`Postgres at ${host}${pathname} refused: ${message}`, { cause: error });
  };
