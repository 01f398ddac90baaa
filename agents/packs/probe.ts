import { fork, type ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { PackDescription, PackReport } from './describe-pack.ts';
import { PackFault } from './pack-fault.ts';

const script = fileURLToPath(new URL('./probe-process.ts', import.meta.url));
/** A pack that takes longer to load than this on any machine does not come to an end. */
const defaultTimeoutMs = 30_000;
/** What a pack may need of memory to be loaded, in MB: more, and its process ends before this machine has none left. */
const memoryMb = 512;
/** How long the last words of a process that has ended may take, in milliseconds. */
const lastWordsMs = 200;
/** Longest part of a process's last words, in characters. */
const maxWords = 300;

/**
 * Loads a pack in a process of its own, without any variable of the environment.
 *
 * @throws PackFault also when that process crashes, ends by itself or does not come to an end
 */
export async function probePack(source: string, { timeoutMs = defaultTimeoutMs } = {}): Promise<PackDescription> {
  const child = fork(script, [source], {
    env: {},
    execArgv: [`--max-old-space-size=${memoryMb}`, '--disable-warning=ExperimentalWarning'],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    // A group of its own, so that what the pack starts can be ended with it.
    detached: true,
  });
  let words = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    words = (words + text).slice(-4_000);
  });
  try {
    const report = await Promise.race([reportOf(child, () => words), tooSlow(timeoutMs)]);
    if ('fault' in report) throw new PackFault(report.fault);
    return report.description;
  } finally {
    endGroup(child);
  }
}

/** Not its `close`: another process that the pack has started may keep its output open. */
function reportOf(child: ChildProcess, words: () => string): Promise<PackReport> {
  return new Promise((resolve) => {
    child.once('message', (message) => resolve(message as PackReport));
    child.once('error', (error) => resolve({ fault: `it could not be tried: ${error.message}` }));
    child.once('exit', (code, signal) => {
      // What it reported, and its last words, may still be on their way.
      setTimeout(() => resolve({ fault: describeEnd({ code, signal }, words()) }), lastWordsMs);
    });
  });
}

const tooSlow = (timeoutMs: number): Promise<PackReport> =>
  sleep(timeoutMs, { fault: `it was not loaded within ${timeoutMs / 1_000} s` }, { ref: false });

function endGroup(child: ChildProcess): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  } catch {
    // It has ended, with all that it had started.
  }
  child.stderr?.destroy();
  if (child.connected) child.disconnect();
}

type End = { code: number | null; signal: NodeJS.Signals | null };

function describeEnd({ code, signal }: End, words: string): string {
  const last = words
    .trim()
    .split('\n')
    .find((line) => /error|fatal/i.test(line))
    ?.trim();
  const how = signal === null ? `with exit code ${code}` : `by ${signal}`;
  return `its process ended ${how} while it was loaded${last ? `: ${last.slice(0, maxWords)}` : ''}`;
}
