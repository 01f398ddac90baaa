/** Programs for sheets run a cell that begins with one of these as a formula, also in their full width. */
const formulaStart = /^[=+\-@\t\r|%＝＋－＠]/;
const plainNumber = /^[+-]?(?:\d[\d.,' ]*|[.,]\d+)(?:e[+-]?\d+)?\s?%?$/i;

export const startsFormula = (text: string): boolean => formulaStart.test(text) || formulaStart.test(text.trimStart());

/** A value that no program for sheets takes for a formula: what could be one begins with an apostrophe. */
export const harmlessCell = (text: string): string =>
  startsFormula(text) && !plainNumber.test(text.trimStart()) ? `'${text}` : text;

const cellOf = (text: string): string => {
  const cell = harmlessCell(text);
  return /[",;\t\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
};

/** A table as CSV, in which no value is a formula. */
export const csvText = (rows: Iterable<readonly string[]>): string => {
  let text = '';
  for (const row of rows) text += `${row.map(cellOf).join(',')}\n`;
  return text;
};

/**
 * The text of a CSV file that a program has written, without formulas. Which of `,` `;` and tab separates its cells
 * depends on who opens it, so a value behind each of them counts.
 */
export function harmlessCsv(text: string): string {
  let result = '';
  let at = 0;
  while (at < text.length) {
    const end = cellEnd(text, at);
    const cell = text.slice(at, end);
    const isQuoted = cell.startsWith('"');
    const value = isQuoted ? cell.slice(1) : cell;
    const isClosed = isQuoted && value.endsWith('"');
    const shown = isClosed ? value.slice(0, -1) : value;
    const harmless = harmlessCell(shown);
    result += harmless === shown ? cell : `${isQuoted ? '"' : ''}${harmless}${isClosed ? '"' : ''}`;
    result += text[end] ?? '';
    at = end + 1;
  }
  return result;
}

/** Where the cell ends that begins at `from`: a quoted one behind its closing mark. */
function cellEnd(text: string, from: number): number {
  let at = from;
  if (text[at] === '"') {
    at++;
    while (at < text.length && !(text[at] === '"' && text[at + 1] !== '"')) at += text[at] === '"' ? 2 : 1;
    at++;
  }
  // A tab at the beginning of a cell belongs to it for no program: it separates.
  while (at < text.length && !/[,;\t\r\n]/.test(text[at] ?? '')) at++;
  return Math.min(at, text.length);
}
