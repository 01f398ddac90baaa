import { extname } from 'node:path/posix';
import { readableKinds } from '../../contract/readable-files.ts';
import { decodeText } from './decode-text.ts';
import { looksLikeEmail } from './formats/email.ts';
import { type BinaryKind, binaryKind } from './file-content.ts';
import { fileProblem } from './file-problem.ts';
import { type ByteKind, kindOfExtension, kindOfMediaType, type TextKind, unknownTypes } from './file-names.ts';

export type RecognisedFile = { kind: TextKind; text: string } | { kind: ByteKind };

const supported = `${readableKinds} files are read`;

type Upload = { name: string; mediaType: string; bytes: Uint8Array; typeDecides?: boolean | undefined };

/**
 * What a file is: the name's extension says, the media type where the name is silent, and the content has to agree.
 * Where the type decides (a web server's), it goes before the name.
 *
 * @throws AlfredError `file_empty`, `file_type_unsupported`, `file_encrypted` or `file_unreadable`
 */
export function recogniseFile({ name, mediaType, bytes, typeDecides }: Upload): RecognisedFile {
  if (bytes.length === 0)
    throw fileProblem('file_empty', name, 'the file is empty (0 bytes). Add the file again once it has content.');
  const extension = extname(name).toLowerCase();
  const type = mediaType.split(';')[0]?.trim().toLowerCase() ?? '';
  const byName = kindOfExtension(extension);
  const byType = kindOfMediaType(type);
  const claimed = typeDecides ? (byType ?? byName) : (byName ?? byType);
  const came = extension || type;
  const found = binaryKind(name, bytes);
  if (found?.kind) {
    if (claimed === found.kind || (!claimed && unknownTypes.has(type))) return { kind: found.kind };
    throw fileProblem(
      'file_type_unsupported',
      name,
      `the content is a .${found.kind} file, but it came as ${came}. Rename it to end in .${found.kind} and add it again.`,
    );
  }
  if (found) throw notRead(name, `this is ${found.foreign}`);
  if (isBinary(claimed) || (claimed === 'eml' && !looksLikeEmail(bytes))) {
    throw fileProblem(
      'file_unreadable',
      name,
      `it came as ${came}, but the content is not that of a .${claimed} file; it may be damaged. Open it, save it again and add it again.`,
    );
  }
  // A message says for each of its parts how that is encoded.
  if (claimed === 'eml') return { kind: claimed };
  const text = decodeText(bytes, { isMarkup: claimed === 'html' || !claimed });
  if (text === undefined) throw notRead(name, 'the content is binary, not text');
  if (claimed) return { kind: claimed, text };
  if (!unknownTypes.has(type) || /^\.[a-z]\w{0,7}$/.test(extension)) throw notRead(name, `${came} files are not read`);
  return { kind: /^\s*(<!doctype html|<html)/i.test(text) ? 'html' : 'text', text };
}

const isBinary = (kind: TextKind | ByteKind | undefined): kind is BinaryKind =>
  kind === 'pdf' || kind === 'docx' || kind === 'xlsx' || kind === 'pptx';

const notRead = (name: string, what: string) =>
  fileProblem('file_type_unsupported', name, `${what}; ${supported}. Save or export it as one of them.`);
