import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { FileToParse } from '../../contract/ports/index.ts';
import type { ParserAnswer } from './parser-process.ts';

const entry = fileURLToPath(new URL('./parser-process.ts', import.meta.url));
/** A process that has nothing to do for so long is ended, in milliseconds. */
const idleMs = 30_000;
/** What is kept of what a process said before it died, in characters. */
const lastWords = 2_000;

/** The process ended before it answered. */
export class ParserDied extends Error {
  readonly isOutOfMemory: boolean;
  constructor(how: string, said: string) {
    super(`the parser's process ended (${how}): ${said.trim()}`);
    this.isOutOfMemory = /heap out of memory|bad_alloc|Cannot allocate memory/i.test(said);
  }
}

type Idle = { child: ChildProcess; timer: NodeJS.Timeout };

/**
 * Processes that read files, one at a time each. A file that exhausts memory takes its process along and nothing else: V8
 * may end the whole process where a thread reaches its limit.
 *
 * @param memoryLimitMb of one process's heap
 */
export function createParserProcesses(memoryLimitMb: number) {
  const idle: Idle[] = [];
  const all = new Set<ChildProcess>();

  const start = (): ChildProcess => {
    const child = fork(entry, {
      execArgv: [`--max-old-space-size=${memoryLimitMb}`, '--disable-warning=ExperimentalWarning'],
      // Files are other people's: what reads them knows no secret.
      env: {},
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    all.add(child);
    child.once('exit', () => all.delete(child));
    // A write to a process that has just died; its exit says so.
    child.on('error', () => undefined);
    return child;
  };

  const take = (): ChildProcess => {
    const free = idle.pop();
    if (!free) return start();
    clearTimeout(free.timer);
    return free.child.connected ? free.child : start();
  };

  const giveBack = (child: ChildProcess) => {
    const timer = setTimeout(() => {
      idle.splice(
        idle.findIndex((one) => one.child === child),
        1,
      );
      child.kill('SIGKILL');
    }, idleMs);
    timer.unref();
    idle.push({ child, timer });
  };

  return {
    /** @throws ParserDied, and the signal's reason when that comes first; the process is killed then */
    run(file: FileToParse, signal: AbortSignal): Promise<ParserAnswer> {
      if (signal.aborted) return Promise.reject(signal.reason as Error);
      const child = take();
      let said = '';
      return new Promise((resolve, reject) => {
        const onSaid = (data: Buffer) => (said = (said + data.toString()).slice(-lastWords));
        const onAnswer = (answer: ParserAnswer) => {
          release();
          giveBack(child);
          resolve(answer);
        };
        // Not before its output is closed: the reason stands there.
        const onClose = (code: number | null, by: NodeJS.Signals | null) => {
          release();
          reject(new ParserDied(String(code ?? by), said));
        };
        const onAbort = () => {
          release();
          child.kill('SIGKILL');
          reject(signal.reason as Error);
        };
        const release = () => {
          child.stderr?.off('data', onSaid);
          child.off('message', onAnswer);
          child.off('close', onClose);
          signal.removeEventListener('abort', onAbort);
        };
        child.stderr?.on('data', onSaid);
        child.once('message', onAnswer as (message: unknown) => void);
        child.once('close', onClose);
        signal.addEventListener('abort', onAbort, { once: true });
        child.send(file);
      });
    },
    close() {
      for (const { timer } of idle.splice(0)) clearTimeout(timer);
      for (const child of all) child.kill('SIGKILL');
    },
  };
}
