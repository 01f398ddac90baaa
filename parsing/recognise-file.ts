import { extname } from 'node:path/posix';
import { readableKinds } from '../contract/readable-files.ts';
import { decodeText } from './decode-text.ts';
import { hasEmailHeader } from './formats/email.ts';
import { type BinaryKind, binaryKind } from './binary-kind.ts';
import { fileProblem } from './file-problem.ts';
import {
  type ByteKind,
  genericExtensions,
  kindOfExtension,
  kindOfMediaType,
  labelOf,
  mediaTypeOf,
  type Kind,
  type TextKind,
  unknownTypes,
} from './file-kinds.ts';
import { foreignText, isMessage, resemblesMarkdown, signatureOf } from './text-signature.ts';

export type RecognisedFile = ({ kind: TextKind; text: string } | { kind: ByteKind }) & {
  mediaType: string;
  /** For people: that the content is not what the name or the sender claimed. */
  notice?: string;
};

const supported = `${readableKinds} files are read`;

type Upload = { name: string; mediaType: string; bytes: Uint8Array; typeDecides?: boolean | undefined };

/** What the name and the sender say. */
type Claim = {
  kind: Kind | undefined;
  /** For people: the name's extension or the media type. */
  label: string;
  /** Whether they name a kind of file that is not read. */
  isForeign: boolean;
};

/**
 * Finds out what kind of file it is. The content decides where it shows its kind; else the extension, else the media
 * type. With `typeDecides` (for web servers) the media type goes before the extension.
 *
 * @throws AlfredError `file_empty`, `file_type_unsupported`, `file_encrypted` or `file_unreadable`
 */
export function recogniseFile(file: Upload): RecognisedFile {
  const { name, bytes } = file;
  if (bytes.length === 0)
    throw fileProblem('file_empty', name, 'the file is empty (0 bytes). Add the file again once it has content.');
  const claim = claimOf(file);
  const found = kindOf(file, claim);
  const contradicts = claim.kind === undefined ? claim.isForeign : claim.kind !== found.kind;
  return {
    ...found,
    mediaType: mediaTypeOf(found.kind, extname(name).toLowerCase(), typeOf(file)),
    ...(contradicts && {
      notice: `It came as ${claim.label}, but the content is ${labelOf[found.kind]}: it was read as that.`,
    }),
  };
}

const typeOf = ({ mediaType }: Upload) => mediaType.split(';')[0]?.trim().toLowerCase() ?? '';

function claimOf(file: Upload): Claim {
  const extension = extname(file.name).toLowerCase();
  const type = typeOf(file);
  const byName = kindOfExtension(extension);
  const byType = kindOfMediaType(type);
  const kind = file.typeDecides ? (byType ?? byName) : (byName ?? byType);
  const isNamed = kind === undefined ? extension !== '' : kind === byName;
  const isForeign =
    kind === undefined &&
    (!unknownTypes.has(type) || (/^\.[a-z]\w{0,7}$/.test(extension) && !genericExtensions.has(extension)));
  return { kind, label: isNamed ? extension : type, isForeign };
}

function kindOf(
  { name, mediaType, bytes }: Upload,
  claim: Claim,
): { kind: TextKind; text: string } | { kind: ByteKind } {
  const { kind: claimed, label } = claim;
  const binary = binaryKind(name, bytes);
  if (binary?.kind) return { kind: binary.kind };
  if (binary) throw unsupported(name, `this is ${binary.foreign}`);
  // Each part of a message declares its own encoding, so it is not decoded here.
  if (claimed === 'eml' ? hasEmailHeader(bytes) : isMessage(bytes)) return { kind: 'eml' };
  const charset = /;\s*charset\s*=\s*["']?([\w:.-]+)/i.exec(mediaType)?.[1];
  const decoded = decodeText(bytes, { isMarkup: claimed === 'html' || !claimed, charset });
  const signature = 'text' in decoded ? signatureOf(decoded.text) : undefined;
  if ((isBinary(claimed) || claimed === 'eml') && !signature)
    throw fileProblem(
      'file_unreadable',
      name,
      `it came as ${label}, but the content is not that of a ${claimed === 'picture' ? 'picture' : `.${claimed} file`}; it may be damaged. Open it, save it again and add it again.`,
    );
  if ('problem' in decoded)
    throw decoded.problem === 'binary' ? unsupported(name, 'the content is binary, not text') : undecided(name);
  const { text } = decoded;
  const foreign = foreignText(text);
  if (foreign) throw unsupported(name, `this is ${foreign}`);
  // A list of objects in one line is JSON Lines too.
  if (signature && !(claimed === 'jsonl' && signature === 'json')) {
    // Programs and settings of many kinds are JSON. They are read when something says that they are meant to be.
    if (!(claim.isForeign && signature === 'json')) return { kind: signature, text };
  }
  if (claimed && !isBinary(claimed) && claimed !== 'eml') return { kind: claimed, text };
  if (claim.isForeign) throw unsupported(name, `${label} files are not read`);
  return { kind: resemblesMarkdown(text) ? 'markdown' : 'text', text };
}

const isBinary = (kind: Kind | undefined): kind is BinaryKind =>
  kind === 'pdf' || kind === 'docx' || kind === 'xlsx' || kind === 'pptx' || kind === 'picture';

const unsupported = (name: string, reason: string) =>
  fileProblem('file_type_unsupported', name, `${reason}; ${supported}. Save or export it as one of them.`);

const undecided = (name: string) =>
  fileProblem(
    'file_unreadable',
    name,
    'the encoding of the text could not be told, and a guess could give wrong words. Save it as UTF-8 and add it again.',
  );
