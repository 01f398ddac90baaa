const labelInMarkup = /<(?:meta|\?xml)[^>]{0,512}?(?:charset|encoding)\s*=\s*["']?\s*([\w-]+)/i;

/**
 * Decodes text by its byte order mark, else by the charset that
 * the markup declares, else as UTF-8, else as Windows-1252.
 *
 * @param options.isMarkup whether to look for a declared charset
 * @returns undefined when the bytes are not text
 */
export function decodeText(bytes: Uint8Array, { isMarkup }: { isMarkup: boolean }): string | undefined {
  const textWithMark = decodeByMark(bytes);
  if (textWithMark) return textWithMark;
  // Like Git: a zero byte near the start means that the file is binary.
  if (bytes.subarray(0, 8_000).includes(0)) return undefined;
  const label = isMarkup
    ? labelInMarkup.exec(new TextDecoder('windows-1252').decode(bytes.subarray(0, 2_048)))?.[1]
    : undefined;
  const text = (label && tryDecode(bytes, label)) || tryDecode(bytes, 'utf-8') || tryDecode(bytes, 'windows-1252');
  return text !== undefined && resemblesText(text) ? text : undefined;
}

function decodeByMark(bytes: Uint8Array): string | undefined {
  const [a, b, c] = bytes;
  if (a === 0xef && b === 0xbb && c === 0xbf) return new TextDecoder('utf-8').decode(bytes);
  if (a === 0xff && b === 0xfe) return new TextDecoder('utf-16le').decode(bytes);
  if (a === 0xfe && b === 0xff) return new TextDecoder('utf-16be').decode(bytes);
  return undefined;
}

function tryDecode(bytes: Uint8Array, label: string): string | undefined {
  try {
    return new TextDecoder(label, { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** Binary data that is decoded as Windows-1252 is full of control characters. Text has almost none. */
function resemblesText(text: string): boolean {
  const sample = text.slice(0, 16_000);
  const controls = sample.match(/[\u0000-\u0008\u000e-\u001f\u007f\u0080-\u009f]/g)?.length ?? 0;
  return controls <= sample.length * 0.02;
}
