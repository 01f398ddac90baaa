import { startsFormula } from '../csv-text.ts';

/**
 * A cell that no spreadsheet runs (https://owasp.org/www-community/attacks/CSV_Injection). Numbers too: one of a
 * telephone would lose its plus.
 */
export const neutralCell = (text: string) => (startsFormula(text) ? `'${text}` : text);

/** What `neutralCell` was given. Also takes away the mark that spreadsheets show numbers as text with. */
export const plainCell = (cell: string) =>
  cell.startsWith("'") && startsFormula(cell.slice(1)) ? cell.slice(1) : cell;
