import { AlfredError, type ErrorCode } from '../contract/errors.ts';
import type { FileToParse, ParsedDocument } from '../contract/ports/index.ts';
import { parseFile } from './parse-file.ts';

/** What the process answers. An error loses its class between processes, so its fields are sent. */
export type ParserAnswer =
  | { document: ParsedDocument }
  | { refused: { code: ErrorCode; message: string; cause: string | undefined } }
  | { crash: string };

async function parse(file: FileToParse): Promise<ParserAnswer> {
  try {
    return { document: await parseFile(file) };
  } catch (error) {
    if (!(error instanceof AlfredError)) return { crash: error instanceof Error ? (error.stack ?? '') : String(error) };
    const { code, message, cause } = error;
    return { refused: { code, message, cause: cause instanceof Error ? cause.stack : undefined } };
  }
}

// This file is the entry point of a child process; see parser-processes.ts.
process.on('message', (file: FileToParse) => void parse(file).then((answer) => process.send?.(answer)));
// The parent process has ended, so no one waits for the answer.
process.on('disconnect', () => process.exit());
