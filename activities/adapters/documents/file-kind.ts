import { extname } from 'node:path/posix';
import { decodeText } from './decode-text.ts';
import { fileProblem } from './file-problem.ts';
import { readZipDirectory } from './zip-directory.ts';

export type FileKind = 'markdown' | 'text' | 'html' | 'pdf' | 'docx';
export type RecognisedFile = { kind: 'markdown' | 'text' | 'html'; text: string } | { kind: 'pdf' | 'docx' };

const byExtension: Record<string, FileKind | undefined> = {
  '.md': 'markdown',
  '.markdown': 'markdown',
  '.txt': 'text',
  '.text': 'text',
  '.html': 'html',
  '.htm': 'html',
  '.xhtml': 'html',
  '.pdf': 'pdf',
  '.docx': 'docx',
};
const byMediaType: Record<string, FileKind | undefined> = {
  'text/markdown': 'markdown',
  'text/plain': 'text',
  'text/html': 'html',
  'application/xhtml+xml': 'html',
  'application/pdf': 'pdf',
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document': 'docx',
};
/** Media types by which a sender says that it does not know. */
const unknownTypes = new Set(['', 'application/octet-stream', 'binary/octet-stream']);
const supported = '.md, .txt, .html, .pdf and .docx files are read';

type Upload = { name: string; mediaType: string; bytes: Uint8Array };

/**
 * What a file is: the name's extension says, the media type where the name is silent, and the content has to agree.
 *
 * @throws AlfredError `file_empty`, `file_type_unsupported`, `file_encrypted` or `file_unreadable`
 */
export function recogniseFile({ name, mediaType, bytes }: Upload): RecognisedFile {
  if (bytes.length === 0)
    throw fileProblem('file_empty', name, 'the file is empty (0 bytes). Add the file again once it has content.');
  const extension = extname(name).toLowerCase();
  const type = mediaType.split(';')[0]?.trim().toLowerCase() ?? '';
  const claimed = byExtension[extension] ?? byMediaType[type];
  const found = binaryKind(name, bytes);
  if (found?.kind) {
    if (claimed === found.kind || (!claimed && unknownTypes.has(type))) return { kind: found.kind };
    throw fileProblem(
      'file_type_unsupported',
      name,
      `the content is a .${found.kind} file, but it came as ${extension || type}. Rename it to end in .${found.kind} and add it again.`,
    );
  }
  if (found)
    throw fileProblem(
      'file_type_unsupported',
      name,
      `this is ${found.foreign}; ${supported}. Save or export it as one of them.`,
    );
  if (claimed === 'pdf' || claimed === 'docx') {
    throw fileProblem(
      'file_unreadable',
      name,
      `it came as ${extension || type}, but the content is not that of a .${claimed} file; it may be damaged. Open it, save it again and add it again.`,
    );
  }
  const text = decodeText(bytes, { isMarkup: claimed === 'html' || !claimed });
  if (text === undefined)
    throw fileProblem(
      'file_type_unsupported',
      name,
      `the content is binary, not text; ${supported}. Save or export it as one of them.`,
    );
  if (claimed) return { kind: claimed, text };
  if (!unknownTypes.has(type) || /^\.[a-z]\w{0,7}$/.test(extension)) {
    throw fileProblem(
      'file_type_unsupported',
      name,
      `${extension || type} files are not read; ${supported}. Save or export it as one of them.`,
    );
  }
  return { kind: /^\s*(<!doctype html|<html)/i.test(text) ? 'html' : 'text', text };
}

type Binary = { kind: 'pdf' | 'docx' } | { kind?: never; foreign: string };

/** What the first bytes give away: a kind that is read, or the name of one that is not. */
function binaryKind(name: string, bytes: Uint8Array): Binary | undefined {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 1_024)).toString('latin1');
  if (/^[\s\0]*%PDF-|^.{0,64}\n%PDF-/s.test(head)) return { kind: 'pdf' };
  if (head.startsWith('\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1')) {
    const encrypted = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).includes(
      Buffer.from('EncryptedPackage', 'utf16le'),
    );
    if (encrypted)
      throw fileProblem(
        'file_encrypted',
        name,
        'the file is password-protected. Remove the password and add it again.',
      );
    return { foreign: 'an old Office file (.doc, .xls, .ppt)' };
  }
  if (!head.startsWith('PK\x03\x04')) return undefined;
  const entries = readZipDirectory(bytes);
  if (!entries)
    throw fileProblem(
      'file_unreadable',
      name,
      'the file is damaged: it begins like a .docx or zip file, but its end is missing. Copy or save it again and add it again.',
    );
  return entries.some((entry) => entry.name === 'word/document.xml')
    ? { kind: 'docx' }
    : { foreign: 'a zip archive or another Office file' };
}
