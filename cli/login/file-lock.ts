import { randomUUID } from 'node:crypto';
import { link, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { isAlive } from '../../deploy/local/process-table.ts';
import { CliError } from '../cli-error.ts';

/** Nothing that is done under a lock takes this long. */
const oldestMs = 60_000;

/**
 * Runs `work` while no other process runs work under the same file. The lock of a process that has ended is taken over.
 *
 * @throws CliError when another process keeps the lock
 */
export async function withFileLock<T>(
  path: string,
  work: () => Promise<T>,
  { waitMs = 45_000, everyMs = 100 } = {},
): Promise<T> {
  const mine = `${process.pid} ${hostname()} ${randomUUID()}`;
  const deadline = Date.now() + waitMs;
  while (!(await take(path, mine))) {
    if (Date.now() >= deadline)
      throw new CliError(`Another process has held ${path} for ${waitMs / 1_000} s. Remove the file if none runs.`);
    await delay(everyMs);
  }
  try {
    return await work();
  } finally {
    if ((await read(path)) === mine) await rm(path, { force: true });
  }
}

async function take(path: string, mine: string): Promise<boolean> {
  try {
    await writeFile(path, mine, { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const holder = await read(path);
  if (holder !== undefined && (await isAbandoned(path, holder))) await remove(path, holder);
  return false;
}

const read = (path: string) => readFile(path, 'utf8').catch(() => undefined);

async function isAbandoned(path: string, holder: string): Promise<boolean> {
  const since = await stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => Date.now(),
  );
  if (Date.now() - since > oldestMs) return true;
  const [pid = '', host] = holder.split(' ');
  // The file is there a moment before its content.
  if (!pid) return Date.now() - since > 1_000;
  // A folder may be shared by machines, which do not see the processes of each other.
  return host === hostname() && !isAlive(Number(pid));
}

/** Removes an abandoned lock. Another process may have made its own in the meantime: that one stays. */
async function remove(path: string, abandoned: string): Promise<void> {
  const moved = `${path}.${randomUUID()}`;
  try {
    await rename(path, moved);
  } catch {
    return;
  }
  if ((await read(moved)) !== abandoned) await link(moved, path).catch(() => undefined);
  await rm(moved, { force: true });
}
