import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, renameSync, statSync } from 'node:fs';
import { readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { abandonedAfterMs, ageMsOf } from './scratch-folder.ts';

export const newFileName = () => `passages-${randomBytes(6).toString('hex')}.db`;

/**
 * The file `current` of an index folder. It contains the name of the index file that is in use. Any number of processes
 * and threads may read and change it.
 */
export function createCurrentFile(dir: string) {
  const pointer = join(resolve(dir), 'current');
  /** The name that was read last, and the stamp that the file `current` had then. */
  let cached = { stamp: '', name: '' };

  /** @returns the name of the index file in use; `''` when there is none */
  const read = async (): Promise<string> => {
    const stats = statSync(pointer, { bigint: true, throwIfNoEntry: false });
    // `current` is always replaced by a rename, so new content means a new stamp.
    const stamp = stats ? `${stats.ino} ${stats.mtimeNs} ${stats.ctimeNs}` : '';
    // This runs before every query. The check is synchronous, because an asynchronous one goes through another thread.
    if (stamp === '' || stamp !== cached.stamp)
      cached = { stamp, name: await readFile(pointer, 'utf8').catch(() => '') };
    return cached.name;
  };

  const writeDraft = async (name: string): Promise<string> => {
    const draft = `${pointer}.${name}`;
    await writeFile(draft, name);
    return draft;
  };

  return {
    read,

    /**
     * Puts an empty index file in use instead of `former`, unless another process has replaced `former` already.
     *
     * @returns the name of the file in use afterwards
     */
    async startEmpty(former = ''): Promise<string> {
      const draft = await writeDraft(newFileName());
      if ((await read()) !== former) await rm(draft, { force: true });
      else await rename(draft, pointer);
      await removeAbandonedFiles(dir, await read(), former);
      return read();
    },

    /** Puts a complete index file in use, in one atomic step. */
    async publish(name: string): Promise<void> {
      const draft = await writeDraft(name);
      // Keep these two steps adjacent: a file published in between is orphaned until the age sweep.
      const former = existsSync(pointer) ? readFileSync(pointer, 'utf8') : '';
      renameSync(draft, pointer);
      await removeAbandonedFiles(dir, name, former);
    },
  };
}
export type CurrentFile = ReturnType<typeof createCurrentFile>;

/**
 * Removes the index files that no process needs: `former`, which was in use before, and files of processes that died.
 * Any other file may be one that another process is about to put in use, so it is removed only when it is old.
 */
export async function removeAbandonedFiles(dir: string, currentName: string, former?: string): Promise<void> {
  for (const name of await readdir(dir)) {
    const [, indexFile] = /^(?:current\.)?(passages-\w+\.db)/.exec(name) ?? [];
    if (indexFile === undefined || indexFile === currentName) continue;
    const path = join(dir, name);
    if (indexFile === former || (await ageMsOf(path)) > abandonedAfterMs) await rm(path, { force: true });
  }
}
