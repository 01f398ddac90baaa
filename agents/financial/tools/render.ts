/** A table in Markdown. */
export const markdownTable = (header: readonly string[], rows: readonly (readonly string[])[]): string =>
  [header, header.map(() => '---'), ...rows].map((row) => `| ${row.map(plainCell).join(' | ')} |`).join('\n');

const plainCell = (text: string) => plainText(text).replaceAll('|', '\\|');

/** Brackets make links, images and citations of a text. The address of a cell, `[Income!B4]`, makes none. */
const brackets = /(\[[^[\]\\]{1,200}![A-Z]{1,3}\d{1,7}\](?![([:]))|[[\]\\]/g;

/** Text of a file, that is no Markdown and stays in its line. */
export const plainText = (text: string): string =>
  text
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ')
    .replace(/[<>`*]/g, ' ')
    .slice(0, 400)
    .toWellFormed()
    .replace(brackets, (found, address?: string) => address ?? `\\${found}`);

export const mostAnswerCharacters = 8_000;

/**
 * The sections that fit into an answer, the first ones whole, and the last ones in any case. Empty ones are left out.
 *
 * @param rest stands in place of those that do not fit
 */
export function fitSections(sections: readonly string[], last: readonly string[], rest: string): string {
  const end = last.filter(Boolean).join('\n\n');
  const filled = sections.filter(Boolean);
  let text = '';
  for (const section of filled) {
    const next = text === '' ? section : `${text}\n\n${section}`;
    if (next.length + rest.length + end.length + 4 > mostAnswerCharacters) return [text, rest, end].join('\n\n');
    text = next;
  }
  return [text, end].filter(Boolean).join('\n\n');
}

/** A list of at most so many lines, with the number of those that are left out. */
export function bulletList(lines: readonly string[], most: number): string {
  const more = lines.length - most;
  return [...lines.slice(0, most).map((line) => `- ${line}`), ...(more > 0 ? [`- … and ${more} more`] : [])].join('\n');
}

const textEncoder = new TextEncoder();
export const textArtifact = (name: string, mediaType: string, text: string) => ({
  name,
  mediaType,
  bytes: textEncoder.encode(text),
});
