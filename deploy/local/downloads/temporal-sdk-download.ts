import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** A download without progress for this long is cancelled. */
const stallMs = 15_000;

/**
 * Lets the Temporal SDK download its development server. This runs in a process of its own: the SDK downloads only by
 * starting the server, which sets up the SDK's runtime, and a process can do that only once.
 *
 * @param target path of the program; it appears there by one rename
 * @returns target
 * @throws Error with the SDK's message; without internet it takes some seconds
 */
export async function downloadWithSdk(target: string, environment: NodeJS.ProcessEnv): Promise<string> {
  const dir = await mkdtemp(join(dirname(target), 'sdk-'));
  const stalled = new AbortController();
  let size = -1;
  const watch = setInterval(() => {
    void sizeOf(dir).then((current) => {
      if (current === size) stalled.abort();
      size = current;
    });
  }, stallMs);
  const script = fileURLToPath(new URL('./temporal-sdk-start.ts', import.meta.url));
  try {
    await promisify(execFile)(process.execPath, ['--disable-warning=ExperimentalWarning', script, dir], {
      signal: stalled.signal,
      env: environment,
    });
    const program = (await readdir(dir)).find((name) => /^temporal-cli/.test(name) && !name.endsWith('.downloading'));
    if (!program) throw new Error('the SDK left no program');
    await rename(join(dir, program), target);
    return target;
  } catch (error) {
    if (stalled.signal.aborted) throw new Error(`no progress for ${stallMs / 1_000} s`, { cause: error });
    const message = ((error as { stderr?: string }).stderr ?? '').trim().split('\n')[0];
    // The message begins with long addresses. Only the cause at its end is of interest.
    throw new Error(message?.replace(/^.*url \(\S+\): /, '') || (error as Error).message, { cause: error });
  } finally {
    clearInterval(watch);
    await rm(dir, { recursive: true, force: true });
  }
}

async function sizeOf(dir: string): Promise<number> {
  const sizes = await Promise.all(
    (await readdir(dir)).map((name) =>
      stat(join(dir, name)).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  );
  return sizes.reduce((sum, each) => sum + each, 0);
}
