import { availableParallelism } from 'node:os';
import { Piscina } from 'piscina';
import { AlfredError } from '../../../contract/errors.ts';
import type { DocumentParser } from '../../ports.ts';
import { fileProblem } from './file-problem.ts';
import type { ParserAnswer } from './parser-thread.ts';
import { createSlots } from './slots.ts';

type Options = { threads?: number; timeLimitMs?: number; memoryLimitMb?: number };

/**
 * Reads .md, .txt, .html, .pdf and .docx on threads of their own, so that no file, however hostile, holds up a heartbeat:
 * a thread that takes too long or too much memory, or whose caller has gone, is killed and replaced.
 *
 * Threads start with the first file and stop after half a minute without one.
 *
 * @param options.timeLimitMs   for one file, counted from when a thread takes it
 * @param options.memoryLimitMb heap of one thread
 */
export function createDocumentParser({
  threads = defaultThreads(),
  timeLimitMs = 60_000,
  memoryLimitMb = 512,
}: Options = {}): DocumentParser & { close(): Promise<void> } {
  const withSlot = createSlots(threads);
  let pool: Piscina | undefined;
  const startPool = () =>
    new Piscina({
      filename: new URL('./parser-thread.ts', import.meta.url).href,
      name: 'parse',
      minThreads: 0,
      maxThreads: threads,
      idleTimeout: 30_000,
      resourceLimits: { maxOldGenerationSizeMb: memoryLimitMb },
      recordTiming: false,
    });

  return {
    parse: (file, signal) =>
      withSlot(signal, async () => {
        const late = AbortSignal.timeout(timeLimitMs);
        const answer = await run((pool ??= startPool()), file, AbortSignal.any([signal, late])).catch(
          (error: unknown) => {
            signal.throwIfAborted();
            if (late.aborted)
              throw fileProblem(
                'file_too_slow',
                file.name,
                `reading took longer than ${timeLimitMs / 1_000} s and was stopped. Split or simplify the file and add it again.`,
              );
            if (isOutOfMemory(error))
              throw fileProblem(
                'file_unreadable',
                file.name,
                `reading needs more than ${memoryLimitMb} MB of memory. Split the file and add it again.`,
              );
            throw new AlfredError('internal', `${file.name}: the parser broke off.`, { cause: error });
          },
        );
        if ('refused' in answer) throw new AlfredError(answer.refused.code, answer.refused.message);
        return answer.document;
      }),
    close: async () => {
      await pool?.destroy();
      pool = undefined;
    },
  };
}

const run = (pool: Piscina, file: unknown, signal: AbortSignal): Promise<ParserAnswer> =>
  pool.run(file, { signal }) as Promise<ParserAnswer>;

const isOutOfMemory = (error: unknown) => (error as { code?: unknown } | null)?.code === 'ERR_WORKER_OUT_OF_MEMORY';

const defaultThreads = () => Math.min(4, Math.max(1, availableParallelism() - 1));
