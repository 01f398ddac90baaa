import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { AlfredError } from '../contract/errors.ts';
import type { ParserAnswer, ParserJob, ParserRequest, RecognitionMessage } from './parser-process.ts';

const entry = fileURLToPath(new URL('./parser-process.ts', import.meta.url));
/** A process without work is ended after this time. */
const idleMs = 30_000;
/** How much of a process's error output is kept: the last characters. */
const maxStderrCharacters = 2_000;

/** The process ended before it answered. */
export class ParserExited extends Error {
  readonly isOutOfMemory: boolean;
  constructor(exit: string, stderr: string) {
    super(`the parser's process ended (${exit}): ${stderr.trim()}`);
    this.isOutOfMemory = /heap out of memory|bad_alloc|Cannot allocate memory/i.test(stderr);
  }
}

type RunOptions = {
  signal: AbortSignal;
  /** Called before a picture is recognised: with it, to return its text, or without it when the process reads it. */
  recognise: (picture: Uint8Array | undefined) => Promise<string>;
};

type IdleProcess = { child: ChildProcess; timer: NodeJS.Timeout };

/**
 * A pool of processes that parse files, each one at a time. They are processes and not
 * threads, because V8 may end the whole process when a thread reaches its memory limit.
 *
 * @param settings.memoryLimitMb of one process's heap
 */
export function createParserProcesses({ memoryLimitMb }: { memoryLimitMb: number }) {
  const idle: IdleProcess[] = [];
  const running = new Set<ChildProcess>();

  const start = (): ChildProcess => {
    const child = fork(entry, {
      execArgv: [`--max-old-space-size=${memoryLimitMb}`, '--disable-warning=ExperimentalWarning'],
      // A hostile file may take over the process, so the process gets no secrets.
      env: {},
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    running.add(child);
    child.once('exit', () => running.delete(child));
    // Happens on a write to a process that has just ended. The `close` event reports that.
    child.on('error', () => undefined);
    return child;
  };

  const acquire = (): ChildProcess => {
    const idleProcess = idle.pop();
    if (!idleProcess) return start();
    clearTimeout(idleProcess.timer);
    return idleProcess.child.connected ? idleProcess.child : start();
  };

  const release = (child: ChildProcess) => {
    const timer = setTimeout(() => {
      idle.splice(
        idle.findIndex((idleProcess) => idleProcess.child === child),
        1,
      );
      child.kill('SIGKILL');
    }, idleMs);
    timer.unref();
    idle.push({ child, timer });
  };

  return {
    /** @throws ParserExited, or the signal's reason when it aborts first: then the process is killed */
    run(job: ParserJob, { signal, recognise }: RunOptions): Promise<ParserAnswer> {
      if (signal.aborted) return Promise.reject(signal.reason as Error);
      const child = acquire();
      let stderr = '';
      return new Promise((resolve, reject) => {
        const onStderr = (data: Buffer) => {
          stderr = (stderr + data.toString()).slice(-maxStderrCharacters);
        };
        const send = (request: ParserRequest) => child.send(request);
        const onAnswer = (answer: ParserAnswer | RecognitionMessage) => {
          if ('recognise' in answer) {
            const { picture } = answer.recognise;
            const text = recognise(picture);
            // The process may have been killed meanwhile.
            if (picture) void textOrError(text).then((recognised) => child.connected && send({ recognised }));
            return;
          }
          removeListeners();
          release(child);
          resolve(answer);
        };
        // `close` comes after `exit`, when the error output with the reason is complete.
        const onClose = (code: number | null, killSignal: NodeJS.Signals | null) => {
          removeListeners();
          reject(new ParserExited(String(code ?? killSignal), stderr));
        };
        const onAbort = () => {
          removeListeners();
          child.kill('SIGKILL');
          reject(signal.reason as Error);
        };
        const removeListeners = () => {
          child.stderr?.off('data', onStderr);
          child.off('message', onAnswer);
          child.off('close', onClose);
          signal.removeEventListener('abort', onAbort);
        };
        child.stderr?.on('data', onStderr);
        child.on('message', onAnswer as (message: unknown) => void);
        child.once('close', onClose);
        signal.addEventListener('abort', onAbort, { once: true });
        send(job);
      });
    },
    close() {
      for (const { timer } of idle.splice(0)) clearTimeout(timer);
      for (const child of running) child.kill('SIGKILL');
    },
  };
}

const textOrError = (text: Promise<string>) =>
  text.then(
    (text) => ({ text }),
    (error: unknown) =>
      error instanceof AlfredError
        ? { code: error.code, message: error.message }
        : { code: 'internal' as const, message: 'text recognition broke off.' },
  );
