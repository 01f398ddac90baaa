import { basename, extname } from 'node:path/posix';
import { AlfredError } from '../contract/errors.ts';
import type { FileToParse, ParsedDocument } from '../contract/ports/index.ts';
import { assembleDocument } from './chunks/assemble-document.ts';
import { readCsv } from './formats/csv.ts';
import { readDocx } from './formats/docx.ts';
import { readEmail } from './formats/email.ts';
import { recogniseFile, type RecognisedFile } from './recognise-file.ts';
import type { ByteKind, TextKind } from './file-kinds.ts';
import { fileProblem } from './file-problem.ts';
import { readHtmlFile } from './formats/html.ts';
import { readJson, readJsonLines } from './formats/json.ts';
import { detectLanguage } from './detect-language.ts';
import { refuseLongText } from './limits.ts';
import { readMarkdown } from './formats/markdown.ts';
import { readPdf } from './formats/pdf.ts';
import { readPlainText } from './formats/plain-text.ts';
import { readPptx } from './formats/pptx.ts';
import type { Outline } from './chunks/unit.ts';
import { readXlsx } from './formats/xlsx.ts';

/**
 * Parses one file on the current thread. The title is that of the metadata, else the first heading of the highest
 * level, else the name.
 *
 * @throws AlfredError `file_empty`, `file_type_unsupported`, `file_unreadable`, `file_too_large` or `file_encrypted`
 */
export async function parseFile(file: FileToParse): Promise<ParsedDocument> {
  const { recognised, outline } = await recogniseAndRead(file).catch((error: unknown) => {
    if (error instanceof AlfredError) throw error;
    const problem =
      error instanceof RangeError
        ? 'its parts are nested too deeply to be read'
        : 'the file is damaged and cannot be read';
    throw fileProblem('file_unreadable', file.name, `${problem}. Save or export it again and add it again.`, error);
  });
  const { title, units, headingsNameParts } = outline;
  refuseLongText(
    file.name,
    units.reduce((characters, { text }) => characters + text.length, 0),
  );
  const document = assembleDocument(units, nameWithoutFolder(file.name), {
    title,
    headingsNameParts,
    chunking: file.chunking,
  });
  const { mediaType, notice } = recognised;
  if (document.chunks.length > 0)
    return { ...document, language: await detectLanguage(document.text), mediaType, notice };
  throw fileProblem(
    'file_empty',
    file.name,
    'the file holds no text. If it is a scan, run text recognition (OCR) on it and add it again.',
  );
}

/** How deep messages may be attached to messages. */
const maxMessageDepth = 4;

async function recogniseAndRead(file: FileToParse) {
  const recognised = recogniseFile(file);
  return { recognised, outline: await readOutline(file, recognised) };
}

async function readOutline(file: FileToParse, recognised: RecognisedFile, messageDepth = 0): Promise<Outline> {
  const { name, bytes } = file;
  if ('text' in recognised) {
    refuseLongText(name, recognised.text.length);
    return textReaders[recognised.kind](name, recognised.text);
  }
  if (recognised.kind !== 'eml') return byteReaders[recognised.kind](name, bytes);
  if (messageDepth === maxMessageDepth)
    throw fileProblem(
      'file_too_large',
      name,
      'it is attached to a message within messages. Add it as a file of its own.',
    );
  return readEmail(bytes, (attachment) => readOutline(attachment, recogniseFile(attachment), messageDepth + 1));
}

const textReaders: Record<TextKind, (name: string, text: string) => Outline> = {
  markdown: readMarkdown,
  html: readHtmlFile,
  text: (_name, text) => readPlainText(text),
  csv: readCsv,
  json: readJson,
  jsonl: readJsonLines,
};

const byteReaders: Record<Exclude<ByteKind, 'eml'>, (name: string, bytes: Uint8Array) => Promise<Outline>> = {
  pdf: readPdf,
  docx: readDocx,
  xlsx: readXlsx,
  pptx: readPptx,
};

const nameWithoutFolder = (name: string) => basename(name, extname(name)) || name;
