import { randomBytes } from 'node:crypto';
import { readdir, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** Whoever builds an index writes all the time; what nobody has written to for so long was left by a process that was killed. */
export const abandonedAfterMs = 3_600_000;

const mark = '.rebuild-';
export const isScratchFolder = (dir: string) => basename(dir).includes(mark);

/** Gives a folder beside another one to some work, and removes it, with all that is in it, when that is over. */
export async function withScratchFolder(dir: string, work: (folder: string) => Promise<void>): Promise<void> {
  const folder = `${dir}${mark}${randomBytes(6).toString('hex')}`;
  try {
    await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Removes what processes that were killed have left beside a folder. @returns how many folders that were */
export async function removeAbandonedFolders(dir: string): Promise<number> {
  const parent = dirname(dir);
  let removed = 0;
  for (const name of await namesIn(parent)) {
    const folder = join(parent, name);
    if (!name.startsWith(`${basename(dir)}${mark}`) || !(await isAbandoned(folder))) continue;
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

/** Milliseconds since a file was written to; of one that is gone nothing is known. */
export const ageMsOf = (path: string): Promise<number> =>
  stat(path).then(
    ({ mtimeMs }) => Date.now() - mtimeMs,
    () => 0,
  );

const namesIn = (folder: string) => readdir(folder).catch(() => []);
