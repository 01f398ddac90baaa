import type { ReadableExtension } from '../contract/readable-files.ts';
import type { BinaryKind } from './binary-kind.ts';

/** Text kinds are parsed from decoded text, byte kinds from the bytes. */
export type TextKind = 'markdown' | 'text' | 'html' | 'csv' | 'json' | 'jsonl';
export type ByteKind = BinaryKind | 'eml';
export type Kind = TextKind | ByteKind;

const byExtension: Record<ReadableExtension, Kind> = {
  '.md': 'markdown',
  '.markdown': 'markdown',
  '.txt': 'text',
  '.text': 'text',
  '.html': 'html',
  '.htm': 'html',
  '.xhtml': 'html',
  '.pdf': 'pdf',
  '.docx': 'docx',
  '.docm': 'docx',
  '.xlsx': 'xlsx',
  '.xlsm': 'xlsx',
  '.pptx': 'pptx',
  '.pptm': 'pptx',
  '.csv': 'csv',
  '.tsv': 'csv',
  '.json': 'json',
  '.jsonl': 'jsonl',
  '.ndjson': 'jsonl',
  '.eml': 'eml',
  '.png': 'picture',
  '.jpg': 'picture',
  '.jpeg': 'picture',
  '.tif': 'picture',
  '.tiff': 'picture',
};

const office = 'application/vnd.openxmlformats-officedocument.';
const byMediaType: Record<string, Kind> = {
  'text/markdown': 'markdown',
  'text/plain': 'text',
  'text/html': 'html',
  'application/xhtml+xml': 'html',
  'application/pdf': 'pdf',
  [`${office}wordprocessingml.document`]: 'docx',
  'application/vnd.ms-word.document.macroenabled.12': 'docx',
  [`${office}spreadsheetml.sheet`]: 'xlsx',
  'application/vnd.ms-excel.sheet.macroenabled.12': 'xlsx',
  [`${office}presentationml.presentation`]: 'pptx',
  'application/vnd.ms-powerpoint.presentation.macroenabled.12': 'pptx',
  'text/csv': 'csv',
  'text/tab-separated-values': 'csv',
  'application/json': 'json',
  'application/jsonl': 'jsonl',
  'application/x-ndjson': 'jsonl',
  'message/rfc822': 'eml',
  'image/png': 'picture',
  'image/jpeg': 'picture',
  'image/tiff': 'picture',
};

/** Media types that say nothing about the kind of a file. */
export const unknownTypes: ReadonlySet<string> = new Set(['', 'application/octet-stream', 'binary/octet-stream']);

/** Extensions that say nothing about the kind of a file. */
export const genericExtensions: ReadonlySet<string> = new Set([
  '',
  '.bin',
  '.dat',
  '.data',
  '.tmp',
  '.temp',
  '.file',
  '.download',
  '.bak',
  '.old',
  '.orig',
  '.unknown',
]);

/** What people call a file of each kind. */
export const labelOf: Record<Kind, string> = {
  markdown: 'Markdown',
  text: 'plain text',
  html: 'a web page (HTML)',
  csv: 'a table of values (CSV)',
  json: 'JSON',
  jsonl: 'JSON Lines',
  pdf: 'a PDF',
  docx: 'a Word document',
  xlsx: 'a workbook (XLSX)',
  pptx: 'a presentation (PPTX)',
  eml: 'a message (e-mail)',
  picture: 'a picture',
};

/**
 * The media type of a file that was recognised. Of several types of its kind, the one that the sender declared or the
 * extension stands for, else the usual one.
 *
 * @param extension in lower case, with its dot
 * @param declared in lower case, without parameters
 */
export function mediaTypeOf(kind: Kind, extension: string, declared: string): string {
  if (kindOfMediaType(declared) === kind) return declared;
  if (extension === '.tsv' && kind === 'csv') return 'text/tab-separated-values';
  if (kind === 'picture' && /^\.jpe?g$/.test(extension)) return 'image/jpeg';
  if (kind === 'picture' && /^\.tiff?$/.test(extension)) return 'image/tiff';
  // The first type of each kind in the table is the usual one.
  return Object.entries(byMediaType).find(([, typeKind]) => typeKind === kind)?.[0] ?? 'application/octet-stream';
}

/** @param extension in lower case, with its dot */
export const kindOfExtension = (extension: string): Kind | undefined =>
  Object.hasOwn(byExtension, extension) ? byExtension[extension as ReadableExtension] : undefined;

/** @param type in lower case, without parameters */
export const kindOfMediaType = (type: string): Kind | undefined =>
  Object.hasOwn(byMediaType, type) ? byMediaType[type] : undefined;
