import { hasEmailHeader } from './formats/email.ts';
import { splitFrontMatter } from './formats/front-matter.ts';

/** How much of a text is looked at to tell Markdown. */
const sampleCharacters = 20_000;

const htmlStart =
  /^\uFEFF?\s*(?:<\?xml[^>]{0,200}\?>\s*)?(?:<!--(?:(?!-->)[^]){0,2000}-->\s*)*<(?:!doctype\s+html|html[\s>])/i;
/**
 * Lines that mail programs write into messages, in their form. A memo or a table that begins with "From:" and
 * "Received: 3 March" has none.
 */
const machineHeader =
  /^(?:mime-version:\s*(?:\([^)]*\)\s*)?1\.0|message-id:\s*<[^<>\s]+>|received:\s*(?:from\s|by\s|with\s|\()[^\n]*;|return-path:\s*<[^<>\s]*>|dkim-signature:[^\n]*\bv=1)/im;
/** The name of a header line (RFC 5322, 2.2). */
const headerName = /^[!-9;-~]+[ \t]*:/;
const headerCharacters = 16_000;

/** Whether the bytes are a message as mail programs store it: only header lines stand before the first empty line. */
export function isMessage(bytes: Uint8Array): boolean {
  if (!hasEmailHeader(bytes)) return false;
  const start = new TextDecoder('latin1')
    .decode(bytes.subarray(0, headerCharacters))
    .replace(/^\xef\xbb\xbf/, '')
    // The line that begins each message of a mailbox file.
    .replace(/^From [^\n]*\n/, '');
  const [header = '', ...rest] = start.split(/\r?\n\r?\n/, 2);
  // A folded line goes on with white space.
  const lines = header.replace(/\r?\n[ \t]+/g, ' ').split(/\r?\n/);
  // Without an empty line, the last one may be cut.
  if (rest.length === 0) lines.pop();
  return lines.every((line) => headerName.test(line)) && machineHeader.test(lines.join('\n'));
}

/** The kind of text that the content itself names. @returns undefined for text that may be of several kinds */
export function signatureOf(text: string): 'html' | 'json' | undefined {
  if (htmlStart.test(text)) return 'html';
  return isJsonDocument(text) ? 'json' : undefined;
}

/** An object, or a list of objects. `[1, 2]` may be a line of any text. */
function isJsonDocument(text: string): boolean {
  const trimmed = text.trim().replace(/^\uFEFF/, '');
  if (!/^(?:\{\s*["}]|\[\s*\{)/.test(trimmed) || !/[}\]]$/.test(trimmed)) return false;
  try {
    JSON.parse(trimmed);
    return true;
  } catch {
    return false;
  }
}

/** Formats that are text by their bytes and nothing that a person reads. @returns what it is */
export function foreignText(text: string): string | undefined {
  if (text.startsWith('{\\rtf')) return 'a Rich Text file (.rtf)';
  return text.startsWith('%!PS') ? 'a PostScript file' : undefined;
}

/** Whether a text whose name says nothing is Markdown: front matter, a code block, or a link or heading of its form. */
export function resemblesMarkdown(text: string): boolean {
  const sample = text.slice(0, sampleCharacters);
  if (splitFrontMatter(sample).front) return true;
  if (/^ {0,3}(?:```|~~~)/m.test(sample)) return true;
  if (/(?<!\w)!?\[[^\]\n]{1,200}\]\((?:https?:|mailto:|[#./\w])[^)\s]*\)/.test(sample)) return true;
  // Shell scripts and settings have comments that begin with "# " too, but no empty line around each of them.
  return /(?:^|\n\s*\n)#{1,6} \S[^\n]{0,200}(?:\n\s*\n|\n?$)/.test(sample) && !sample.startsWith('#!');
}
