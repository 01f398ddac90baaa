import { availableParallelism } from 'node:os';
import { Piscina } from 'piscina';
import { AlfredError } from '../../../contract/errors.ts';
import { linkAbort } from '../../../runtime/linked-abort.ts';
import type { DocumentParser, ParsedDocument } from '../../ports.ts';
import { fileProblem } from './file-problem.ts';
import type { ParserAnswer } from './parser-thread.ts';
import type { File } from './read-file.ts';
import { createSlots } from './slots.ts';

type Options = { threads?: number; timeLimitMs?: number; memoryLimitMb?: number };

/**
 * Reads files (contract/readable-files.ts) on threads of their own, so that no file, however hostile, holds up a heartbeat:
 * a thread that takes too long or too much memory, or whose caller has gone, is killed and replaced.
 *
 * Threads start with the first file and stop after half a minute without one. `close` ends them; what they were at, and
 * what comes later, is refused with `draining`.
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
  let closed = false;
  const startPool = () => {
    const started = new Piscina({
      filename: new URL('./parser-thread.ts', import.meta.url).href,
      name: 'parse',
      minThreads: 0,
      maxThreads: threads,
      idleTimeout: 30_000,
      resourceLimits: { maxOldGenerationSizeMb: memoryLimitMb },
      recordTiming: false,
    });
    // A thread may run out of memory just when its file was given up: then nobody waits for it, and the error would end
    // the whole process. The next file gets another thread.
    started.on('error', () => undefined);
    return started;
  };

  async function parse(file: File, signal: AbortSignal): Promise<ParsedDocument> {
    if (closed) throw new AlfredError('draining');
    const limit = linkAbort([signal], { timeoutMs: timeLimitMs });
    const parsed = run((pool ??= startPool()), file, limit.signal).finally(limit.release);
    const answer = await parsed.catch((error: unknown) => {
      signal.throwIfAborted();
      if (closed) throw new AlfredError('draining');
      if (limit.isLate()) throw tooSlow(file.name, timeLimitMs);
      if (isOutOfMemory(error)) throw tooLarge(file.name, memoryLimitMb);
      throw new AlfredError('internal', `${file.name}: the parser broke off.`, { cause: error });
    });
    if ('document' in answer) return answer.document;
    const { code, message, cause } = answer.refused;
    throw new AlfredError(code, message, { cause });
  }

  return {
    parse: (file, signal) => withSlot(signal, () => parse(file, signal)),
    close: async () => {
      closed = true;
      await pool?.destroy();
    },
  };
}

const run = (pool: Piscina, file: File, signal: AbortSignal): Promise<ParserAnswer> =>
  pool.run(file, { signal }) as Promise<ParserAnswer>;

const tooSlow = (name: string, limitMs: number) =>
  fileProblem(
    'file_too_slow',
    name,
    `reading took longer than ${limitMs / 1_000} s and was stopped. Split or simplify the file and add it again.`,
  );

const tooLarge = (name: string, limitMb: number) =>
  fileProblem(
    'file_too_large',
    name,
    `reading needs more than ${limitMb} MB of memory. Split the file and add it again.`,
  );

const isOutOfMemory = (error: unknown) => (error as { code?: unknown } | null)?.code === 'ERR_WORKER_OUT_OF_MEMORY';

const defaultThreads = () => Math.min(4, Math.max(1, availableParallelism() - 1));
