import { constants } from 'node:fs';
import { access, mkdir, readdir, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { StepFailure } from '../step-failure.ts';

/**
 * The folder for downloads, shared by all clones of one person: `$XDG_CACHE_HOME/alfred`, usually `~/.cache/alfred`.
 *
 * @param fallback used when that folder is not writable, for example for a user without a home
 * @throws StepFailure when neither is writable
 */
export async function cacheDir(environment: NodeJS.ProcessEnv, fallback?: string): Promise<string> {
  const usual = join(environment.XDG_CACHE_HOME || join(environment.HOME || homedir(), '.cache'), 'alfred');
  const faults: string[] = [];
  for (const dir of [usual, fallback].filter((name) => name !== undefined)) {
    try {
      await mkdir(dir, { recursive: true });
      await access(dir, constants.W_OK);
      return dir;
    } catch (error) {
      faults.push(`${dir} (${(error as NodeJS.ErrnoException).code ?? 'not writable'})`);
    }
  }
  throw new StepFailure(`No folder to keep downloads in can be written: ${faults.join(', ')}.`, [
    'set XDG_CACHE_HOME to a folder that can be written',
  ]);
}

/** No download takes this long. Anything older was left by a killed process. */
const leftoverMs = 60 * 60 * 1_000;

/** How the names of unfinished downloads in the cache begin. */
export const downloads = ['sdk-', 'wheel-', 'model-', 'keycloak-new-'];

/** Removes what interrupted downloads left in a folder. @param beginnings how their names begin */
export async function removeLeftovers(dir: string, beginnings: readonly string[] = downloads): Promise<void> {
  for (const name of await readdir(dir)) {
    if (!beginnings.some((beginning) => name.startsWith(beginning))) continue;
    const path = join(dir, name);
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Date.now() }));
    if (Date.now() - mtimeMs > leftoverMs) await rm(path, { recursive: true, force: true });
  }
}
