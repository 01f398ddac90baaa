import { hasEmailHeader } from './formats/email.ts';
import { splitFrontMatter } from './formats/front-matter.ts';

/** How much of a text is looked at to tell Markdown. */
const sampleCharacters = 20_000;

const htmlStart =
  /^\uFEFF?\s*(?:<\?xml[^>]{0,200}\?>\s*)?(?:<!--(?:(?!-->)[^]){0,2000}-->\s*)*<(?:!doctype\s+html|html[\s>])/i;
/** Lines that programs write into messages; a memo that begins with "From:" and "To:" has none. */
const machineHeader = /^(?:mime-version|message-id|received|return-path|dkim-signature):/im;

/** Whether the bytes are a message as mail programs store it. */
export function isMessage(bytes: Uint8Array): boolean {
  if (!hasEmailHeader(bytes)) return false;
  const header = new TextDecoder('latin1').decode(bytes.subarray(0, 16_000)).split(/\r?\n\r?\n/, 1)[0] ?? '';
  return machineHeader.test(header);
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
