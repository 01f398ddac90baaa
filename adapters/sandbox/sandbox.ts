import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { AlfredError } from '../../contract/errors.ts';
import type { JsonValue } from '../../contract/json.ts';
import type { Program, ProgramOutcome, Sandbox } from '../../contract/ports/index.ts';
import { createSemaphore } from '../../runtime/semaphore.ts';
import { limits } from './limits.ts';
import type { ProgramJob, ThreadAnswer } from './program-answer.ts';

type Options = {
  /** Programs at a time; the others wait in the order in which they came. */
  threads?: number;
  /** The program itself, in milliseconds. */
  timeMs?: number;
  /** From the start of a thread to its answer, in milliseconds. */
  wholeMs?: number;
};

/** V8's own memory of a thread, in MB. The memory of the program is that of the interpreter. */
const resourceLimits = { maxOldGenerationSizeMb: 192, maxYoungGenerationSizeMb: 32, stackSizeMb: 16 };

/**
 * Runs each program in an interpreter in WebAssembly, on a thread of its own. The interpreter stops what takes too long
 * or too much memory. What it cannot stop is ended with its thread, and never blocks this process.
 */
export function createSandbox({
  threads = defaultThreads(),
  timeMs = limits.timeMs,
  wholeMs = limits.wholeMs,
}: Options = {}): Sandbox {
  const withSlot = createSemaphore(threads);
  return {
    run: ({ code, inputs = null }: Program, signal) =>
      withSlot(signal, async () => {
        const answer = await runThread({ code, inputs: JSON.stringify(inputs), timeMs }, wholeMs, signal);
        return outcomeOf(answer);
      }),
  };
}

const defaultThreads = () => Math.min(4, Math.max(2, availableParallelism() - 1));

function outcomeOf(answer: ThreadAnswer): ProgramOutcome {
  const { printed } = answer;
  if ('error' in answer) return { printed, error: answer.error };
  return { printed, result: JSON.parse(answer.result) as JsonValue, artifacts: answer.files };
}

async function runThread(job: ProgramJob, wholeMs: number, signal: AbortSignal): Promise<ThreadAnswer> {
  // Nothing of the environment: a program could not read it, and has no use for it.
  const options = { workerData: job, resourceLimits, env: {}, stdin: false, name: 'program' };
  const thread = new Worker(new URL('./program-thread.ts', import.meta.url), options);
  const { promise, resolve, reject } = Promise.withResolvers<ThreadAnswer>();
  const stopped = (error: string) => resolve({ printed: '', error });
  thread.once('message', resolve);
  thread.once('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'ERR_WORKER_OUT_OF_MEMORY')
      stopped('The program needs too much memory. Do less in one program.');
    else if (error instanceof RangeError) stopped('The program calls itself too deeply: use a loop.');
    else reject(brokenOff(error));
  });
  thread.once('exit', (code) => reject(brokenOff(new Error(`the thread ended with ${code} and without an answer`))));
  const timer = setTimeout(
    () => stopped(`The program took longer than ${wholeMs / 1_000} s and was stopped. Do less in one program.`),
    wholeMs,
  );
  const onAbort = () => reject(signal.reason as Error);
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
    await thread.terminate();
  }
}

const brokenOff = (cause: Error) => new AlfredError('tool_failed', 'The sandbox of a program broke off.', { cause });
