import { fileProblem } from './file-problem.ts';
import { readZipDirectory, unpackSmall, type ZipEntry } from './formats/zip-directory.ts';

export type BinaryKind = 'pdf' | 'docx' | 'xlsx' | 'pptx' | 'picture';
/** `foreign` describes a kind of file that is not supported. */
type Recognised = { kind: BinaryKind; extension: string } | { kind?: never; foreign: string };

/** How pictures begin. */
const pictureSigns = [
  { sign: '\x89PNG\r\n\x1a\n', extension: '.png' },
  { sign: '\xff\xd8\xff', extension: '.jpg' },
  { sign: 'II*\0', extension: '.tiff' },
  { sign: 'MM\0*', extension: '.tiff' },
];

/** The usual name of the main part, by which each kind is recognised. Documents with macros have the same part. */
const mainParts: Record<string, BinaryKind | undefined> = {
  'word/document.xml': 'docx',
  'xl/workbook.xml': 'xlsx',
  'ppt/presentation.xml': 'pptx',
};

/**
 * Recognises a binary file by its first bytes.
 *
 * @returns undefined when they are not those of a known binary format
 * @throws AlfredError `file_encrypted` or `file_unreadable`
 */
export function binaryKind(name: string, bytes: Uint8Array): Recognised | undefined {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 1_024)).toString('latin1');
  // The header may stand anywhere in the first kilobyte, for example behind a printer's job language.
  if (/^[\s\0]*%PDF-|[\r\n]%PDF-\d\.\d/.test(head)) return { kind: 'pdf', extension: '.pdf' };
  const picture = pictureSigns.find(({ sign }) => head.startsWith(sign))?.extension;
  if (picture) return { kind: 'picture', extension: picture };
  if (head.startsWith('\x1f\x8b')) return { foreign: 'a packed file (gzip): unpack it first' };
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
    return { foreign: 'an old Office or Outlook file (.doc, .xls, .ppt, .msg)' };
  }
  return head.startsWith('PK\x03\x04') ? zippedKind(name, bytes) : undefined;
}

function zippedKind(name: string, bytes: Uint8Array): Recognised {
  const entries = readZipDirectory(bytes);
  if (!entries)
    throw fileProblem(
      'file_unreadable',
      name,
      'the file is damaged: it begins like an Office or zip file, but its end is missing. Copy or save it again and add it again.',
    );
  const kind =
    entries.map((entry) => mainParts[entry.name]).find((partKind) => partKind !== undefined) ??
    kindByContentType(bytes, entries);
  return kind ? { kind, extension: `.${kind}` } : { foreign: foreignZip(bytes, entries) };
}

/** OpenDocument and EPUB files say in their part `mimetype` what they are. */
function foreignZip(bytes: Uint8Array, entries: ZipEntry[]): string {
  const entry = entries.find(({ name }) => name === 'mimetype');
  const type = (entry && unpackSmall(bytes, entry)) ?? '';
  if (type.startsWith('application/vnd.oasis.opendocument.')) return 'an OpenDocument file (.odt, .ods, .odp)';
  return type.startsWith('application/epub') ? 'a book (.epub)' : 'a zip archive or another kind of Office file';
}

/** Some programs give the main part another name. Its content type says what it is (ECMA-376 part 2, 10.1). */
function kindByContentType(bytes: Uint8Array, entries: ZipEntry[]): BinaryKind | undefined {
  const entry = entries.find(({ name }) => name.toLowerCase() === '[content_types].xml');
  const types = entry && unpackSmall(bytes, entry);
  if (!types) return undefined;
  if (/wordprocessingml\.(?:document|template)\.main\+xml|ms-word\.(?:document|template)\.macroEnabled/i.test(types))
    return 'docx';
  if (/spreadsheetml\.(?:sheet|template)\.main\+xml|ms-excel\.(?:sheet|template)\.macroEnabled/i.test(types))
    return 'xlsx';
  return /presentationml\.(?:presentation|template|slideshow)\.main\+xml|ms-powerpoint\.(?:presentation|slideshow)\.macroEnabled/i.test(
    types,
  )
    ? 'pptx'
    : undefined;
}
