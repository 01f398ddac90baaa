import { AlfredError, type ErrorCode } from '../../contract/errors.ts';

/** A file that cannot be read. Every message names the file, says what is wrong and what to do. */
export const fileProblem = (code: Extract<ErrorCode, `file_${string}`>, name: string, what: string, cause?: unknown) =>
  new AlfredError(code, `${name}: ${what}`, { cause });
