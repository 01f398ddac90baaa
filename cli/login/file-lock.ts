import { open } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { createSemaphore } from '../../runtime/semaphore.ts';
import { CliError } from '../cli-error.ts';

/** Of SQLite: another process has the lock. */
const busy = 5;

/** Calls of this process for one file wait for each other here: the lock is one of processes. */
const queues = new Map<string, ReturnType<typeof createSemaphore>>();

/**
 * Runs `work` while no other process, and no other call of this one, runs work under the same file.
 *
 * The lock is one of the operating system, as SQLite takes it for a database that it writes: it ends with the process
 * that holds it, however that ends. So no process ever judges whether the lock of another one still counts. The file
 * stays, empty: a lock on a file that was removed would keep no other process out.
 *
 * @throws CliError when the lock is not free in time, or the file system has no locks
 */
export async function withFileLock<T>(
  path: string,
  work: () => Promise<T>,
  { waitMs = 45_000, everyMs = 100 } = {},
): Promise<T> {
  const queue = queues.get(path) ?? createSemaphore(1);
  queues.set(path, queue);
  const deadline = Date.now() + waitMs;
  let isMyTurn = false;
  try {
    return await queue(AbortSignal.timeout(waitMs), async () => {
      isMyTurn = true;
      const lock = await takeUntil(path, deadline, everyMs);
      if (!lock) throw notFree(path, waitMs);
      try {
        return await work();
      } finally {
        lock.close();
      }
    });
  } catch (error) {
    throw isMyTurn ? error : notFree(path, waitMs);
  }
}

const notFree = (path: string, waitMs: number) =>
  new CliError(`Another \`alfred\` has used ${path} for ${waitMs / 1_000} s. Wait for it, or end it.`);

/** @returns undefined when another process has the lock until the deadline */
async function takeUntil(path: string, deadline: number, everyMs: number): Promise<DatabaseSync | undefined> {
  await makeFile(path);
  let lock = take(path);
  while (!lock && Date.now() < deadline) {
    await delay(everyMs);
    lock = take(path);
  }
  return lock;
}

/**
 * SQLite would make it readable for all. One that is there is not opened: a process loses its locks of a file when it
 * closes any descriptor of that file.
 */
async function makeFile(path: string): Promise<void> {
  try {
    await (await open(path, 'wx', 0o600)).close();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
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
