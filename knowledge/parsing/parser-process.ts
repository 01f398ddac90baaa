import { AlfredError, type ErrorCode } from '../../contract/errors.ts';
import type { FileToParse, ParsedDocument } from '../../contract/ports/index.ts';
import { readFile } from './read-file.ts';

/** Errors lose their class between processes, so a refusal travels as data. */
export type ParserAnswer =
  | { document: ParsedDocument }
  | { refused: { code: ErrorCode; message: string; cause: string | undefined } }
  | { broke: string };

async function parse(file: FileToParse): Promise<ParserAnswer> {
  try {
    return { document: await readFile(file) };
  } catch (error) {
    if (!(error instanceof AlfredError)) return { broke: error instanceof Error ? (error.stack ?? '') : String(error) };
    const { code, message, cause } = error;
    return { refused: { code, message, cause: cause instanceof Error ? cause.stack : undefined } };
  }
}

// The entry of a process of its own; see parser-processes.ts.
process.on('message', (file: FileToParse) => void parse(file).then((answer) => process.send?.(answer)));
// Whoever asks has died: nobody waits for an answer any more.
process.on('disconnect', () => process.exit());
