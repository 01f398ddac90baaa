import type { Config } from '../config.ts';
import { readSecretFile } from '../secret-file.ts';

export type DatabaseAddress = Pick<Config, 'DATABASE_URL'> &
  Partial<Pick<Config, 'DATABASE_DIRECT_URL' | 'DATABASE_PASSWORD_FILE'>>;

/**
 * The address of the database with its password. Call it for every new connection, so that a rotated password in
 * DATABASE_PASSWORD_FILE is used without a restart.
 *
 * @throws Error when the file cannot be read
 */
export const databaseUrl = ({ DATABASE_URL, DATABASE_PASSWORD_FILE }: DatabaseAddress): string =>
  withPassword(DATABASE_URL, DATABASE_PASSWORD_FILE);

/** The same of the database without a pooler in between. @throws Error when the file of the password cannot be read */
export const directDatabaseUrl = (config: DatabaseAddress): string =>
  withPassword(config.DATABASE_DIRECT_URL ?? config.DATABASE_URL, config.DATABASE_PASSWORD_FILE);

function withPassword(url: string, file: string | undefined): string {
  if (file === undefined) return url;
  const address = new URL(url);
  address.password = encodeURIComponent(readPassword(file));
  return address.toString();
}

/** The password in a file. @throws Error when it cannot be read */
export const readPassword = (file: string): string => readSecretFile('DATABASE_PASSWORD_FILE', file, 'the password');
