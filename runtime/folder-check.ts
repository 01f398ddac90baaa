import { mkdir, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

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
};
export type FolderFiles = typeof realFiles;

/**
 * Makes a check that a folder can be written and has space.
 *
 * @param name how the message names the folder: the variable that sets it
 * @param files the file system; a test puts another in its place
 * @returns the check; it rejects with a sentence for an operator
 */
export const createFolderCheck =
  (dir: string, name: string, files: FolderFiles = realFiles) =>
  async (): Promise<void> => {
    const file = join(dir, `.writable-${process.pid}`);
    let free: number;
    try {
      await files.mkdir(dir);
      free = await files.freeBytes(dir);
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
