import { randomBytes } from 'node:crypto';
import { readdir, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/**
 * A process that builds an index writes all the time. A file that was not written to for this long was left by a
 * process that was killed.
 */
export const abandonedAfterMs = 3_600_000;

const marker = '.rebuild-';
export const isScratchFolder = (dir: string) => basename(dir).includes(marker);

/** Gives `work` the path of a new folder next to `dir`, and removes that folder with its content when the work ends. */
export async function withScratchFolder(dir: string, work: (folder: string) => Promise<void>): Promise<void> {
  const folder = `${dir}${marker}${randomBytes(6).toString('hex')}`;
  try {
    await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Removes the scratch folders of `dir` that killed processes left. @returns how many it removed */
export async function removeAbandonedFolders(dir: string): Promise<number> {
  const parent = dirname(dir);
  let removed = 0;
  for (const name of await namesIn(parent)) {
    const folder = join(parent, name);
    if (!name.startsWith(`${basename(dir)}${marker}`) || !(await isAbandoned(folder))) continue;
    await rm(folder, { recursive: true, force: true });
    removed++;
  }
  return removed;
}

async function isAbandoned(folder: string): Promise<boolean> {
  const paths = [folder, ...(await namesIn(folder)).map((name) => join(folder, name))];
  const ages = await Promise.all(paths.map(ageMsOf));
  return ages.every((ageMs) => ageMs > abandonedAfterMs);
}

/** Milliseconds since the last write to a file; 0 when the file is gone. */
export const ageMsOf = (path: string): Promise<number> =>
  stat(path).then(
    ({ mtimeMs }) => Date.now() - mtimeMs,
    () => 0,
  );

const namesIn = (folder: string) => readdir(folder).catch(() => []);
