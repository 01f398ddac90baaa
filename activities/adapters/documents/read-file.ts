import { basename, extname } from 'node:path/posix';
import { AlfredError } from '../../../contract/errors.ts';
import type { ParsedDocument } from '../../ports.ts';
import { assemble } from './assemble.ts';
import { readDocx } from './docx.ts';
import { recogniseFile } from './file-kind.ts';
import { fileProblem } from './file-problem.ts';
import { readHtml } from './html.ts';
import { readMarkdown } from './markdown.ts';
import { readPdf } from './pdf.ts';
import { readPlainText } from './plain-text.ts';
import type { Outline } from './unit.ts';

export type File = { name: string; mediaType: string; bytes: Uint8Array };

/**
 * Reads one file on the current thread. The title is its first heading, else what its metadata says, else its name.
 *
 * @throws AlfredError `file_empty`, `file_type_unsupported`, `file_unreadable` or `file_encrypted`
 */
export async function readFile(file: File): Promise<ParsedDocument> {
  const { title, units } = await outlineOf(file).catch((error: unknown) => {
    if (error instanceof AlfredError) throw error;
    const what =
      error instanceof RangeError
        ? 'its parts are nested too deeply to be read'
        : 'the file is damaged and cannot be read';
    throw fileProblem('file_unreadable', file.name, `${what}. Save or export it again and add it again.`, error);
  });
  const document = assemble(units, title || nameWithoutFolder(file.name));
  if (document.chunks.length > 0) return document;
  throw fileProblem(
    'file_empty',
    file.name,
    'the file holds no text. If it is a scan, run text recognition (OCR) on it and add it again.',
  );
}

async function outlineOf({ name, mediaType, bytes }: File): Promise<Outline> {
  const file = recogniseFile({ name, mediaType, bytes });
  switch (file.kind) {
    case 'markdown':
      return readMarkdown(file.text);
    case 'html':
      return readHtml(file.text);
    case 'text':
      return readPlainText(file.text);
    case 'pdf':
      return readPdf(name, bytes);
    case 'docx':
      return readDocx(name, bytes);
  }
}

const nameWithoutFolder = (name: string) => basename(name, extname(name)) || name;
