import { availableParallelism } from 'node:os';
import { AlfredError } from '../contract/errors.ts';
import { linkAbort } from '../runtime/link-abort.ts';
import type { DocumentParser, FileToParse, ParsedDocument } from '../contract/ports/index.ts';
import { fileProblem } from './file-problem.ts';
import { createParserProcesses, ParserExited } from './parser-processes.ts';
import { createSemaphore } from '../runtime/semaphore.ts';

type Options = { processes?: number; timeLimitMs?: number; memoryLimitMb?: number };

/**
 * Parses files (contract/readable-files.ts) in child processes, so that a hostile
 * file can neither block the worker's event loop nor end the worker. A process that
 * exceeds its time or memory, or whose caller aborts, is killed and replaced.
 *
 * Processes start when a file needs one and end after half a minute without work. `close`
 * kills them. Files that they are parsing, and later files, are refused with `draining`.
 *
 * @param options.timeLimitMs for one file, from the moment when a process takes it
 * @param options.memoryLimitMb heap of one process
 */
export function createDocumentParser({
  processes = defaultProcesses(),
  timeLimitMs = 60_000,
  memoryLimitMb = 512,
}: Options = {}): DocumentParser & { close(): Promise<void> } {
  const withSlot = createSemaphore(processes);
  const parsers = createParserProcesses(memoryLimitMb);
  const closing = new AbortController();

  async function parse(file: FileToParse, signal: AbortSignal): Promise<ParsedDocument> {
    const limit = linkAbort([signal, closing.signal], { timeoutMs: timeLimitMs });
    const answer = await parsers
      .run(file, limit.signal)
      .finally(limit.release)
      .catch((error: unknown) => {
        signal.throwIfAborted();
        closing.signal.throwIfAborted();
        if (limit.hasTimedOut()) throw tooSlow(file.name, timeLimitMs);
        if (error instanceof ParserExited && error.isOutOfMemory) throw tooLarge(file.name, memoryLimitMb);
        throw crashed(file.name, error);
      });
    if ('document' in answer) return answer.document;
    if ('crash' in answer) throw crashed(file.name, new Error(answer.crash));
    const { code, message, cause } = answer.refused;
    throw new AlfredError(code, message, { cause });
  }

  return {
    parse: (file, signal) =>
      withSlot(signal, async () => {
        closing.signal.throwIfAborted();
        return parse(file, signal);
      }),
    close: async () => {
      closing.abort(new AlfredError('draining'));
      parsers.close();
    },
  };
}

const crashed = (name: string, cause: unknown) =>
  new AlfredError('internal', `${name}: the parser broke off.`, { cause });

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

const defaultProcesses = () => Math.min(4, Math.max(1, availableParallelism() - 1));
