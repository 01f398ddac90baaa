import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { AlfredError, type ErrorCode } from '../../contract/errors.ts';
import type { DocumentParser, ParsedDocument } from '../../contract/ports/index.ts';
import { usageError } from '../cli-error.ts';
import { formatCount } from '../terminal/format.ts';
import { prefixWithin, table, type Terminal } from '../terminal/terminal.ts';

/** What would be read of a file, or why it would not be. */
export type Preview =
  | (Omit<ParsedDocument, 'text'> & { name: string; characters: number })
  | { name: string; error: { code: ErrorCode; message: string } };

/** Reads a file as it would be read when it is added, without adding it. */
export async function previewFile(path: string, parser: DocumentParser): Promise<Preview> {
  const name = basename(path);
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    const problem = error.code === 'ENOENT' ? 'there is no such file' : error.message;
    throw usageError(`${path}: ${error.code === 'EISDIR' ? 'this is a folder; name one file of it' : problem}`);
  });
  try {
    const parsed = await parser.parse({ name, mediaType: '', bytes }, new AbortController().signal);
    const { text, ...document } = parsed;
    return { name, ...document, characters: text.length };
  } catch (error) {
    if (!(error instanceof AlfredError)) throw error;
    return { name, error: { code: error.code, message: error.message } };
  }
}

export function printPreview(preview: Preview, terminal: Terminal) {
  if ('error' in preview) return terminal.print(`Not read (${preview.error.code}): ${preview.error.message}`);
  const { title, language, mediaType, notice, characters, chunks, notes = [] } = preview;
  terminal.print(`Title:    ${title}\nLanguage: ${language ?? 'not recognised'}`);
  terminal.print(`Read as:  ${mediaType ?? 'unknown'}`);
  terminal.print(`Text:     ${formatCount(characters, 'character')} in ${formatCount(chunks.length, 'passage')}`);
  for (const note of notice === undefined ? notes : [notice, ...notes]) terminal.print(`Note:     ${note}`);
  terminal.print('');
  terminal.print(
    table([
      ['PASSAGE', 'PAGE', 'CHARACTERS', 'HEADINGS', 'TEXT'],
      ...chunks.map(({ page, text, headingPath }, index) => [
        String(index + 1),
        String(page ?? ''),
        String(text.length),
        prefixWithin(headingPath.join(' › '), 40),
        prefixWithin(text.replace(/\s+/g, ' '), 60),
      ]),
    ]),
  );
}
