import { fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { AlfredError } from '../../contract/errors.ts';
import type { JsonValue } from '../../contract/json.ts';
import type { Program, ProgramOutcome, Sandbox } from '../../contract/ports/index.ts';
import { createFairSemaphore } from '../../runtime/semaphore.ts';
import { limits } from './limits.ts';
import type { ProcessAnswer, ProgramAnswer, ProgramJob } from './program-answer.ts';

type Options = {
  /** Programs at a time; the others wait, and their tenants take turns. */
  processes?: number;
  /** The program itself, in milliseconds. */
  timeMs?: number;
  /** From the start of a process to its answer, in milliseconds. */
  wholeMs?: number;
  /** V8's own memory of a process. The memory of the program is that of the interpreter. */
  heapMb?: number;
};

const entry = fileURLToPath(new URL('./program-process.ts', import.meta.url));
/** How much of a process's error output is kept: the last characters. */
const maxStderrCharacters = 2_000;

/**
 * Runs each program in an interpreter in WebAssembly, in a process of its own. The interpreter stops what takes too
 * long or too much memory. What it cannot stop is ended with its process. It is no thread, because V8 may end the whole
 * process when a thread reaches its memory limit.
 */
export function createSandbox({
  processes = defaultProcesses(),
  timeMs = limits.timeMs,
  wholeMs = limits.wholeMs,
  heapMb = 192,
}: Options = {}): Sandbox {
  const withTurn = createFairSemaphore(processes);
  return {
    run: ({ code, inputs = null, tenant = '' }: Program, signal) =>
      withTurn(tenant, signal, async () => {
        const job = { code, inputs: JSON.stringify(inputs), timeMs };
        return outcomeOf(await runProcess(job, { wholeMs, heapMb, signal }));
      }),
  };
}

const defaultProcesses = () => Math.min(4, Math.max(2, availableParallelism() - 1));

function outcomeOf(answer: ProgramAnswer): ProgramOutcome {
  const { printed } = answer;
  if ('error' in answer) return { printed, error: answer.error };
  return { printed, result: JSON.parse(answer.result) as JsonValue, artifacts: answer.files };
}

type ProcessOptions = { wholeMs: number; heapMb: number; signal: AbortSignal };

async function runProcess(job: ProgramJob, { wholeMs, heapMb, signal }: ProcessOptions): Promise<ProgramAnswer> {
  signal.throwIfAborted();
  const child = fork(entry, {
    execArgv: [`--max-old-space-size=${heapMb}`, '--disable-warning=ExperimentalWarning'],
    // Nothing of the environment: a program could not read it, and has no use for it.
    env: {},
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  const { promise, resolve, reject } = Promise.withResolvers<ProgramAnswer>();
  const stopped = (error: string) => resolve({ printed: '', error });
  let stderr = '';
  child.stderr?.on('data', (data: Buffer) => {
    stderr = (stderr + data.toString()).slice(-maxStderrCharacters);
  });
  child.once('message', (answer: ProcessAnswer) => {
    if ('broken' in answer) reject(brokenOff(answer.broken));
    else resolve(answer);
  });
  // It could not be started, or has ended before it got the program; then `close` follows.
  child.on('error', (error) => child.pid === undefined && reject(brokenOff(error.message)));
  // A process that reaches its limit of memory is ended by a signal: its own, or that of the system.
  child.once('close', (code, killedBy) => {
    if (killedBy !== null) stopped('The program needed too much memory, and was stopped. Do less in one program.');
    else reject(brokenOff(`the process ended with ${code} and without an answer: ${stderr.trim()}`));
  });
  const timer = setTimeout(
    () => stopped(`The program took longer than ${wholeMs / 1_000} s and was stopped. Do less in one program.`),
    wholeMs,
  );
  const onAbort = () => reject(signal.reason as Error);
  signal.addEventListener('abort', onAbort, { once: true });
  // It may fail before it is awaited.
  promise.catch(() => undefined);
  try {
    child.send(job);
    return await promise;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
    child.kill('SIGKILL');
  }
}

const brokenOff = (reason: string) =>
  new AlfredError('tool_failed', 'The sandbox of a program broke off.', { cause: new Error(reason) });
