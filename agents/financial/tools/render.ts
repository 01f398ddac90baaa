/** A table in Markdown. */
export const markdownTable = (header: readonly string[], rows: readonly (readonly string[])[]): string =>
  [header, header.map(() => '---'), ...rows].map((row) => `| ${row.map(plainCell).join(' | ')} |`).join('\n');

const plainCell = (text: string) => plainText(text).replaceAll('|', '\\|');

/** Text of a file, that is no Markdown and stays in its line. */
export const plainText = (text: string): string =>
  text
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ')
    .replace(/[<>`*_[\]]/g, (character) => (character === '[' || character === ']' ? character : ' '))
    .slice(0, 400)
    .toWellFormed();

export const mostAnswerCharacters = 8_000;

/** The sections that fit into an answer, the first ones whole. Empty ones are left out. */
export function fitSections(sections: readonly string[], rest: string): string {
  let text = '';
  for (const section of sections.filter(Boolean)) {
    const next = text === '' ? section : `${text}\n\n${section}`;
    if (next.length > mostAnswerCharacters - rest.length - 2) return `${text}\n\n${rest}`;
    text = next;
  }
  return text;
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
