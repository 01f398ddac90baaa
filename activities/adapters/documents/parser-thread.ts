import { AlfredError, type ErrorCode } from '../../../contract/errors.ts';
import type { ParsedDocument } from '../../ports.ts';
import { type File, readFile } from './read-file.ts';

/** Errors lose their class between threads, so a refusal travels as data. */
export type ParserAnswer =
  { document: ParsedDocument } | { refused: { code: ErrorCode; message: string; cause: string | undefined } };

/** Runs on a worker thread; see parser.ts. */
export async function parse(file: File): Promise<ParserAnswer> {
  try {
    return { document: await readFile(file) };
  } catch (error) {
    if (!(error instanceof AlfredError)) throw error;
    return {
      refused: {
        code: error.code,
        message: error.message,
        cause: error.cause instanceof Error ? error.cause.stack : undefined,
      },
    };
  }
}
