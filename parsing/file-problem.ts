import { AlfredError, type ErrorCode } from '../contract/errors.ts';

/** The error for a file that cannot be read. `problem` says what is wrong and what to do. */
export const fileProblem = (
  code: Extract<ErrorCode, `file_${string}`>,
  name: string,
  problem: string,
  cause?: unknown,
) => new AlfredError(code, `${name}: ${problem}`, { cause });
