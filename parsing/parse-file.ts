import { basename, extname } from 'node:path/posix';
import { AlfredError } from '../contract/errors.ts';
import type { FileToParse, ParsedDocument } from '../contract/ports/index.ts';
import { assembleDocument } from './chunks/assemble-document.ts';
import { readCsv } from './formats/csv.ts';
import { readDocx } from './formats/docx.ts';
import { readEmail } from './formats/email.ts';
import { readPicture } from './formats/picture.ts';
import { binaryKind } from './binary-kind.ts';
import { howToRecognise, type Recognise } from './recognition/recogniser.ts';
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
 * @param recognise reads the text of pictures; without it they are refused
 * @throws AlfredError `file_empty`, `file_type_unsupported`, `file_unreadable`, `file_too_large` or `file_encrypted`
 */
export async function parseFile(file: FileToParse, recognise?: Recognise): Promise<ParsedDocument> {
  const { recognised, outline } = await recogniseAndRead(file, recognise).catch((error: unknown) => {
    if (error instanceof AlfredError) throw error;
    const problem =
      error instanceof RangeError
        ? 'its parts are nested too deeply to be read'
        : 'the file is damaged and cannot be read';
    throw fileProblem('file_unreadable', file.name, `${problem}. Save or export it again and add it again.`, error);
  });
  const { title, units, headingsNameParts, notes = [], unreadPictures = false } = outline;
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
    return {
      ...document,
      language: await detectLanguage(document.text),
      mediaType,
      notice,
      unreadPictures,
      ...(notes.length > 0 && { notes }),
    };
  throw fileProblem('file_empty', file.name, `the file holds no text. ${adviceOnEmpty(file, recognise)}`);
}

/** What to do about a file without text, by what it may hold instead. */
function adviceOnEmpty({ name, bytes }: FileToParse, recognise: Recognise | undefined): string {
  const kind = binaryKind(name, bytes)?.kind;
  if (recognise && (kind === 'pdf' || kind === 'picture'))
    return 'Text recognition found none in its pictures either: see that they are sharp and upright, and not in JPEG 2000, which is not read.';
  if (kind === 'pdf') return `If it is a scan: ${howToRecognise.charAt(0).toLowerCase()}${howToRecognise.slice(1)}`;
  if (kind)
    return 'If its text stands in pictures, write it as text, or export the file as PDF and run text recognition (OCR) on that.';
  return 'Add it again once it has some.';
}

/** How deep messages may be attached to messages. */
const maxMessageDepth = 4;

async function recogniseAndRead(file: FileToParse, recognise: Recognise | undefined) {
  const recognised = recogniseFile(file);
  return { recognised, outline: await readOutline(file, recognised, { recognise, messageDepth: 0 }) };
}

async function readOutline(
  { name, bytes }: FileToParse,
  recognised: RecognisedFile,
  options: { recognise: Recognise | undefined; messageDepth: number },
): Promise<Outline> {
  const { recognise, messageDepth } = options;
  if ('text' in recognised) {
    refuseLongText(name, recognised.text.length);
    return textReaders[recognised.kind](name, recognised.text);
  }
  if (recognised.kind !== 'eml') return byteReaders[recognised.kind](name, bytes, recognise);
  if (messageDepth === maxMessageDepth)
    throw fileProblem(
      'file_too_large',
      name,
      'it is attached to a message within messages. Add it as a file of its own.',
    );
  let unreadPictures = false;
  const message = await readEmail(bytes, async (attachment) => {
    const found = recogniseFile(attachment);
    unreadPictures ||= !recognise && found.kind === 'picture';
    const outline = await readOutline(attachment, found, { ...options, messageDepth: messageDepth + 1 });
    unreadPictures ||= outline.unreadPictures ?? false;
    return outline;
  });
  return { ...message, unreadPictures };
}

const textReaders: Record<TextKind, (name: string, text: string) => Outline> = {
  markdown: readMarkdown,
  html: readHtmlFile,
  text: (_name, text) => readPlainText(text),
  csv: readCsv,
  json: readJson,
  jsonl: readJsonLines,
};

type ReadBytes = (name: string, bytes: Uint8Array, recognise: Recognise | undefined) => Promise<Outline>;

const byteReaders: Record<Exclude<ByteKind, 'eml'>, ReadBytes> = {
  pdf: readPdf,
  docx: readDocx,
  xlsx: readXlsx,
  pptx: readPptx,
  picture: readPicture,
};

const nameWithoutFolder = (name: string) => basename(name, extname(name)) || name;
