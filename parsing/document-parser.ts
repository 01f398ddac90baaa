import { availableParallelism } from 'node:os';
import { AlfredError } from '../contract/errors.ts';
import { linkAbort } from '../runtime/link-abort.ts';
import type { OcrSetting } from '../contract/ocr.ts';
import type { DocumentParser, SheetReader, TextRecogniser } from '../contract/ports/index.ts';
import { fileProblem } from './file-problem.ts';
import type { ParserAnswer, ParserJob } from './parser-process.ts';
import { createParserProcesses, ParserExited } from './parser-processes.ts';
import { createTimeLimit } from './time-limit.ts';
import { createSemaphore } from '../runtime/semaphore.ts';

type Options = {
  processes?: number;
  timeLimitMs?: number;
  recognitionLimitMs?: number;
  memoryLimitMb?: number;
  ocr?: OcrSetting;
  recogniser?: TextRecogniser | undefined;
};

type Done = Extract<ParserAnswer, { document: unknown } | { sheets: unknown }>;

/**
 * Parses files (contract/readable-files.ts) in child processes, so that a hostile
 * file can neither block the worker's event loop nor end the worker. A process that
 * exceeds its time or memory, or whose caller aborts, is killed and replaced.
 *
 * Processes start when a file needs one and end after half a minute without work. `close`
 * kills them. Files that they are parsing, and later files, are refused with `draining`.
 *
 * @param options.timeLimitMs for one file, from the moment when a process takes it
 * @param options.recognitionLimitMs for a file of which pictures are recognised
 * @param options.memoryLimitMb heap of one process
 * @param options.ocr how the text of pictures is read; default: not at all
 * @param options.recogniser the server of `ocr`. This process asks it, so that those that read files need no network
 */
export function createDocumentParser({
  processes = defaultProcesses(),
  timeLimitMs = 60_000,
  recognitionLimitMs = 600_000,
  memoryLimitMb = 512,
  ocr = { kind: 'off' },
  recogniser,
}: Options = {}): DocumentParser & SheetReader & { close(): Promise<void> } {
  const withSlot = createSemaphore(processes);
  const parsers = createParserProcesses({ memoryLimitMb });
  const closing = new AbortController();

  /** The answer to a job. @param name of its file, for people */
  async function answerTo(name: string, job: ParserJob, signal: AbortSignal): Promise<Done> {
    const time = createTimeLimit(timeLimitMs);
    const limit = linkAbort([signal, closing.signal, time.signal]);
    const recognise = (picture: Uint8Array | undefined) => {
      time.extendTo(recognitionLimitMs);
      return picture && recogniser ? recogniser.recognise(picture, limit.signal) : Promise.resolve('');
    };
    const answer = await parsers
      .run(job, { signal: limit.signal, recognise })
      .finally(() => {
        time.clear();
        limit.release();
      })
      .catch((error: unknown) => {
        signal.throwIfAborted();
        closing.signal.throwIfAborted();
        if (time.signal.aborted) throw tooSlow(name, time.limitMs());
        if (error instanceof ParserExited && error.isOutOfMemory) throw tooLarge(name, memoryLimitMb);
        throw crashed(name, error);
      });
    if ('crash' in answer) throw crashed(name, new Error(answer.crash));
    if (!('refused' in answer)) return answer;
    const { code, message, cause } = answer.refused;
    throw new AlfredError(code, message, { cause });
  }

  const run = (name: string, job: ParserJob, signal: AbortSignal): Promise<Done> =>
    withSlot(signal, async () => {
      closing.signal.throwIfAborted();
      return answerTo(name, job, signal);
    });

  return {
    async parse(file, signal) {
      const answer = await run(file.name, { file, ocr }, signal);
      if ('document' in answer) return answer.document;
      throw crashed(file.name, new Error('the answer is of another job'));
    },
    async readSheets(file, signal) {
      const answer = await run(file.name, { sheetsOf: file }, signal);
      if ('sheets' in answer) return answer.sheets;
      throw crashed(file.name, new Error('the answer is of another job'));
    },
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
