import { open } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { CliError } from '../cli-error.ts';

/** Of SQLite: another process has the lock. */
const busy = 5;

/**
 * Runs `work` while no other process runs work under the same file.
 *
 * The lock is one of the operating system, as SQLite takes it for a database that it writes: it ends with the process
 * that holds it, however that ends. So no process ever judges whether the lock of another one still counts. The file
 * stays, empty: a lock on a file that was removed would keep no other process out.
 *
 * @throws CliError when another process keeps the lock, or the file system has no locks
 */
export async function withFileLock<T>(
  path: string,
  work: () => Promise<T>,
  { waitMs = 45_000, everyMs = 100 } = {},
): Promise<T> {
  // SQLite would make it readable for all.
  await (await open(path, 'a', 0o600)).close();
  const deadline = Date.now() + waitMs;
  let lock = take(path);
  while (!lock) {
    if (Date.now() >= deadline)
      throw new CliError(
        `Another process has held ${path} for ${waitMs / 1_000} s. Wait for the other \`alfred\`, or end it.`,
      );
    await delay(everyMs);
    lock = take(path);
  }
  try {
    return await work();
  } finally {
    lock.close();
  }
}

/** @returns undefined while another process has the lock */
function take(path: string): DatabaseSync | undefined {
  const file = new DatabaseSync(path, { timeout: 0 });
  try {
    file.exec('BEGIN EXCLUSIVE');
    return file;
  } catch (error) {
    file.close();
    if ((error as { errcode?: number }).errcode === busy) return undefined;
    throw new CliError(
      `${path} cannot be locked: ${(error as Error).message}. Set XDG_CONFIG_HOME to a folder of this machine, or set ALFRED_TOKEN.`,
      { cause: error },
    );
  }
}
