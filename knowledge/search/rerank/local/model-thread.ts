import { Piscina } from 'piscina';
import { AlfredError } from '../../../../contract/errors.ts';

type Options = {
  file: URL;
  /** The exported function of the file that runs a job. */
  task: string;
  /** The thread ends after this long without a job, which frees its model. */
  idleMs: number;
};

/**
 * One worker thread that runs a model, one job after another. A thread that is ended inside the model's native code
 * takes the whole process with it, so no signal reaches it: a job that is aborted before its turn is not started, and
 * one that runs is finished, without anybody who waits for it.
 */
export function createModelThread<Job, Result>({ file, task, idleMs }: Options) {
  let pool: Piscina<Job, Result> | undefined;
  let last: Promise<unknown> = Promise.resolve();
  let isClosed = false;
  const startPool = () =>
    new Piscina<Job, Result>({
      filename: file.href,
      name: task,
      minThreads: 0,
      maxThreads: 1,
      idleTimeout: idleMs,
      recordTiming: false,
    });

  const inTurn = async (job: Job, before: Promise<unknown>, signal: AbortSignal): Promise<Result> => {
    await before;
    signal.throwIfAborted();
    if (isClosed) throw new AlfredError('draining');
    return (pool ??= startPool()).run(job);
  };

  return {
    /** @throws the signal's reason as soon as it fires, `draining` after `close`, and what the job throws */
    run(job: Job, signal: AbortSignal): Promise<Result> {
      const result = inTurn(job, last, signal);
      last = result.catch(() => undefined);
      return orAborted(result, signal);
    },
    /** Waits for the job that runs. */
    async close(): Promise<void> {
      isClosed = true;
      await last;
      await pool?.destroy();
    },
  };
}

async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason as Error);
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
