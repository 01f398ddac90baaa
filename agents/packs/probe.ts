import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { PackDescription, PackReport } from './describe-pack.ts';
import { PackFault } from './pack-fault.ts';

const script = fileURLToPath(new URL('./probe-process.ts', import.meta.url));
/** A pack that takes longer to load than this on any machine does not come to an end. */
const defaultTimeoutMs = 30_000;
/** What a pack may need of memory to be loaded, in MB: more, and its process ends before this machine has none left. */
const memoryMb = 512;
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
  });
  let words = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    words = (words + text).slice(-4_000);
  });
  let isTooSlow = false;
  const timer = setTimeout(() => {
    isTooSlow = true;
    child.kill('SIGKILL');
  }, timeoutMs);
  const report = await new Promise<PackReport>((resolve) => {
    let received: PackReport | undefined;
    child.once('message', (message) => {
      received = message as PackReport;
    });
    child.once('error', (error) => resolve({ fault: `it could not be tried: ${error.message}` }));
    child.once('close', (code, signal) =>
      resolve(
        received ??
          (isTooSlow
            ? { fault: `it was not loaded within ${timeoutMs / 1_000} s` }
            : { fault: describeEnd({ code, signal }, words) }),
      ),
    );
  });
  clearTimeout(timer);
  if ('fault' in report) throw new PackFault(report.fault);
  return report.description;
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
