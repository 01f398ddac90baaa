import { readFileSync } from 'node:fs';
import type { Config } from '../config.ts';

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
export function readPassword(file: string): string {
  try {
    // Editors and `echo` end a file with a line break.
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new Error(`DATABASE_PASSWORD_FILE cannot be read: ${file} (${code}). Write the password into it.`, {
      cause: error,
    });
  }
}
