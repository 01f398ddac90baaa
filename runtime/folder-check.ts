import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { shareCheck } from './share-check.ts';

/** Less free space than this counts as full: an index could not grow by one upload. */
const minFreeBytes = 16_000_000;
/** What is written to try the folder. Larger than what a file system keeps inside a directory entry. */
const probe = Buffer.alloc(65_536, 1);

const realFiles = {
  mkdir: (dir: string): Promise<unknown> => mkdir(dir, { recursive: true }),
  freeBytes: async (dir: string) => {
    const { bavail, bsize } = await statfs(dir);
    return bavail * bsize;
  },
  write: (file: string, bytes: Uint8Array) => writeFile(file, bytes, { flush: true }),
  remove: (file: string) => rm(file, { force: true }),
  list: (dir: string): Promise<string[]> => readdir(dir),
  changedAtMs: async (file: string) => (await stat(file)).mtimeMs,
};
export type FolderFiles = typeof realFiles;

/** What a probe is called. The names of a killed process's probes never come again. */
const probePrefix = '.writable-';
/** A probe of this age was left by a process that was killed. One under way takes seconds. */
const leftAfterMs = 3_600_000;

/** How long a result counts: shorter than the pause of a worker's checks, each of which shall see the disk. */
const freshMs = 4_000;
/** A folder that takes longer is on a disk that hangs. */
const timeoutMs = 10_000;

/**
 * Makes a check that a folder can be written and has space. All callers share its runs: a probe that is asked
 * often writes no more than one that is asked every few seconds.
 *
 * @param name how the message names the folder: the variable that sets it
 * @param options.files the file system; a test puts another in its place
 * @returns the check; it rejects with a sentence for an operator
 */
export function createFolderCheck(
  dir: string,
  name: string,
  { files = realFiles, ...times }: { files?: FolderFiles; freshMs?: number; timeoutMs?: number } = {},
): () => Promise<void> {
  // Containers that share a folder have the same process ids.
  const file = join(dir, `${probePrefix}${randomUUID()}`);
  let isCleared = false;
  const check = async () => {
    let free: number;
    try {
      await files.mkdir(dir);
      free = await files.freeBytes(dir);
      if (!isCleared) await removeLeftProbes(dir, files);
      isCleared = true;
      await files.write(file, probe);
    } catch (error) {
      throw new Error(`${dir} ${reasonOf(error)}: make the folder of ${name} writable, or free space on its disk.`, {
        cause: error,
      });
    } finally {
      await files.remove(file).catch(() => {});
    }
    if (free < minFreeBytes)
      throw new Error(
        `${dir} has ${Math.floor(free / 1_000_000)} MB of free space: free space on the disk of ${name}.`,
      );
  };
  const late = `${dir} does not answer: look at the disk of ${name}.`;
  return shareCheck(check, { freshMs, timeoutMs, late, ...times });
}

/** Each left probe holds space on the disk whose space is watched. One that cannot be removed changes no result. */
async function removeLeftProbes(dir: string, files: FolderFiles): Promise<void> {
  const names = await files.list(dir).catch((): string[] => []);
  for (const file of names.filter((name) => name.startsWith(probePrefix)).map((name) => join(dir, name))) {
    const changedAtMs = await files.changedAtMs(file).catch(() => Infinity);
    if (Date.now() - changedAtMs > leftAfterMs) await files.remove(file).catch(() => {});
  }
}

const reasons: Record<string, string> = {
  ENOSPC: 'has no space left',
  EDQUOT: 'has used up its quota',
  EROFS: 'is read-only',
  EACCES: 'may not be written',
  EPERM: 'may not be written',
};

function reasonOf(error: unknown): string {
  const { code = '', message = '' } = error as { code?: string; message?: string };
  return reasons[code] ?? `cannot be written (${code || message})`;
}
