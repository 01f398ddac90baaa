import { analyse } from 'chardet';

/** The encoding that an XML declaration names. */
const declared = /^\s*<\?xml[^>]*\sencoding=["']([\w.:-]+)["']/;

/**
 * The text of a feed: in the encoding that the header or the XML declaration names, else UTF-8. When the bytes do not
 * fit it, in the most probable one.
 *
 * @returns `isGuessed`: the bytes do not fit what they are named
 */
export function feedText(bytes: Buffer, contentType: string | null): { text: string; isGuessed: boolean } {
  const named = [
    /charset="?([\w.:-]+)/i.exec(contentType ?? '')?.[1],
    declared.exec(bytes.subarray(0, 200).toString('latin1'))?.[1],
  ].filter((name) => name !== undefined);
  for (const name of [...named, 'utf-8']) {
    const text = decode(bytes, name, true);
    if (text !== undefined) return { text, isGuessed: false };
  }
  const guess = analyse(bytes.subarray(0, 65_536)).map(({ name }) => decode(bytes, name, false));
  return { text: guess.find((text) => text !== undefined) ?? bytes.toString('utf8'), isGuessed: true };
}

function decode(bytes: Buffer, encoding: string, fatal: boolean): string | undefined {
  try {
    return new TextDecoder(encoding, { fatal }).decode(bytes);
  } catch {
    return undefined;
  }
}
