import { decodeAs } from './decode-bytes.ts';
import { detectEncoding, utf16WithoutMark } from './detect-encoding.ts';

const labelInMarkup = /<(?:meta|\?xml)[^>]{0,512}?(?:charset|encoding)\s*=\s*["']?\s*([\w-]+)/i;

/** `undecided`: it is text, but nothing says in which encoding. */
export type DecodedText = { text: string } | { problem: 'binary' | 'undecided' };

type Options = {
  /** Whether to look for a charset that the markup declares. */
  isMarkup: boolean;
  /** The charset that the sender named, for example in an HTTP header. */
  charset?: string | undefined;
};

/**
 * Decodes text by its byte order mark, else by the charset that the sender named, else by the one that the markup
 * declares (the order of the Encoding Standard), else as UTF-8, else by a detector. A declared charset in which the
 * bytes are not valid is ignored.
 */
export function decodeText(bytes: Uint8Array, { isMarkup, charset }: Options): DecodedText {
  const mark = encodingOfMark(bytes);
  if (mark) return { text: new TextDecoder(mark).decode(bytes) };
  const unmarked = utf16WithoutMark(bytes);
  if (unmarked) return asText(decodeAs(bytes, unmarked));
  // Like Git: a zero byte near the start means that the file is binary.
  if (bytes.subarray(0, 8_000).includes(0)) return { problem: 'binary' };
  const declared = isMarkup
    ? labelInMarkup.exec(new TextDecoder('latin1').decode(bytes.subarray(0, 2_048)))?.[1]
    : undefined;
  const utf8 = decodeAs(bytes, 'utf-8');
  for (const label of [charset, declared]) {
    const text = label === undefined ? undefined : decodeByLabel(bytes, label, utf8);
    if (text !== undefined) return asText(text);
  }
  if (utf8 !== undefined) return asText(utf8);
  const detected = detectEncoding(bytes);
  return detected
    ? asText(decodeAs(bytes, detected))
    : { problem: resemblesText(latin1(bytes)) ? 'undecided' : 'binary' };
}

/** Fewer characters beyond ASCII may be valid UTF-8 by chance: the GBK of 联通 is. */
const minUtf8Characters = 4;

/** Whether bytes that are valid UTF-8 are so for certain, regardless of a label. `text`: as UTF-8. */
export const isCertainlyUtf8 = (text: string) =>
  (text.match(/[^\u0000-\u007f]/g)?.length ?? 0) >= minUtf8Characters && !text.includes('\ufffd');

/**
 * Servers, editors and mail programs name another encoding for texts that are UTF-8. Latin-1 and UTF-16 are named most,
 * so a text that is valid UTF-8 is never taken for them.
 */
function decodeByLabel(bytes: Uint8Array, label: string, utf8: string | undefined): string | undefined {
  if (
    utf8 !== undefined &&
    (isCertainlyUtf8(utf8) ||
      /^(?:us-ascii|ascii|(?:iso-?8859-1|latin-?1|windows-1252|cp1252)|utf-?16.*|utf-?8)$/i.test(label))
  )
    return utf8;
  return decodeAs(bytes, label);
}

function encodingOfMark([a, b, c]: Uint8Array): string | undefined {
  if (a === 0xef && b === 0xbb && c === 0xbf) return 'utf-8';
  if (a === 0xff && b === 0xfe) return 'utf-16le';
  return a === 0xfe && b === 0xff ? 'utf-16be' : undefined;
}

const asText = (text: string | undefined): DecodedText =>
  text !== undefined && resemblesText(text) ? { text } : { problem: 'binary' };

const latin1 = (bytes: Uint8Array) => Buffer.from(bytes.subarray(0, 16_000)).toString('latin1');

/** Binary data is full of control characters. Text has almost none. */
function resemblesText(text: string): boolean {
  const sample = text.slice(0, 16_000);
  const controls = sample.match(/[\u0000-\u0008\u000e-\u001f\u007f]/g)?.length ?? 0;
  return controls <= sample.length * 0.02;
}
