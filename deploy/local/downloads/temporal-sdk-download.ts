import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** A download that brings nothing new for this long is given up. */
const stallMs = 15_000;

/**
 * Has the Temporal SDK fetch its development server. In a process of its own: the SDK fetches only by starting the
 * server, and that sets up its runtime, which a process can do once.
 *
 * @param target where the program goes, by one rename
 * @returns target
 * @throws with the SDK's own words, within seconds when there is no way to the internet
 */
export async function downloadBySdk(target: string, environment: NodeJS.ProcessEnv): Promise<string> {
  const dir = await mkdtemp(join(dirname(target), 'sdk-'));
  const stalled = new AbortController();
  let size = -1;
  const watch = setInterval(() => {
    void sizeOf(dir).then((now) => (now === size ? stalled.abort() : (size = now)));
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
    const said = ((error as { stderr?: string }).stderr ?? '').trim().split('\n')[0];
    // The addresses it repeats at length say less than the cause at the end.
    throw new Error(said?.replace(/^.*url \(\S+\): /, '') || (error as Error).message, { cause: error });
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
