import { extname } from 'node:path/posix';
import { readableKinds } from '../contract/readable-files.ts';
import { decodeText } from './decode-text.ts';
import { hasEmailHeader } from './formats/email.ts';
import { type BinaryKind, binaryKind } from './binary-kind.ts';
import { fileProblem } from './file-problem.ts';
import { type ByteKind, kindOfExtension, kindOfMediaType, type TextKind, unknownTypes } from './file-kinds.ts';

export type RecognisedFile = { kind: TextKind; text: string } | { kind: ByteKind };

const supported = `${readableKinds} files are read`;

type Upload = { name: string; mediaType: string; bytes: Uint8Array; typeDecides?: boolean | undefined };

/**
 * Finds out what kind of file it is. The extension decides, else the media type, and the content has to agree. With
 * `typeDecides` (for web servers) the media type goes before the extension.
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
  const claim = extension || type;
  const binary = binaryKind(name, bytes);
  if (binary?.kind) {
    if (claimed === binary.kind || (!claimed && unknownTypes.has(type))) return { kind: binary.kind };
    throw fileProblem(
      'file_type_unsupported',
      name,
      `the content is a ${binary.extension} file, but it came as ${claim}. Rename it to end in ${binary.extension} and add it again.`,
    );
  }
  if (binary) throw unsupported(name, `this is ${binary.foreign}`);
  if (isBinary(claimed) || (claimed === 'eml' && !hasEmailHeader(bytes))) {
    throw fileProblem(
      'file_unreadable',
      name,
      `it came as ${claim}, but the content is not that of a ${claimed === 'picture' ? 'picture' : `.${claimed} file`}; it may be damaged. Open it, save it again and add it again.`,
    );
  }
  // Each part of a message declares its own encoding, so it is not decoded here.
  if (claimed === 'eml') return { kind: claimed };
  const charset = /;\s*charset\s*=\s*["']?([\w:.-]+)/i.exec(mediaType)?.[1];
  const decoded = decodeText(bytes, { isMarkup: claimed === 'html' || !claimed, charset });
  if ('problem' in decoded)
    throw decoded.problem === 'binary' ? unsupported(name, 'the content is binary, not text') : undecided(name);
  const { text } = decoded;
  if (claimed) return { kind: claimed, text };
  if (!unknownTypes.has(type) || /^\.[a-z]\w{0,7}$/.test(extension))
    throw unsupported(name, `${claim} files are not read`);
  return { kind: /^\s*(<!doctype html|<html)/i.test(text) ? 'html' : 'text', text };
}

const isBinary = (kind: TextKind | ByteKind | undefined): kind is BinaryKind =>
  kind === 'pdf' || kind === 'docx' || kind === 'xlsx' || kind === 'pptx' || kind === 'picture';

const unsupported = (name: string, reason: string) =>
  fileProblem('file_type_unsupported', name, `${reason}; ${supported}. Save or export it as one of them.`);

const undecided = (name: string) =>
  fileProblem(
    'file_unreadable',
    name,
    'the encoding of the text could not be told, and a guess could give wrong words. Save it as UTF-8 and add it again.',
  );
