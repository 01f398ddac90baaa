import { largest } from '../extremes.ts';
import { columnNames, mergedHeader, type Row, rowsWithCategories } from './table-rows.ts';

/**
 * A table of a text document. `headerRows` is the number of rows that are marked as the header; undefined when the
 * format does not mark them.
 */
export type DocumentTable = { rows: Row[]; headerRows: number | undefined };

/**
 * The rows of a table as texts. Without a marked header the first row is one when it looks like one. What merged cells
 * say is repeated in each row that they cover.
 */
export function documentTableTexts({ rows, headerRows }: DocumentTable): string[] {
  const marked = rows.slice(0, headerRows ?? 0).filter((row) => row.length > 0);
  const others = rows.slice(headerRows ?? 0).filter((row) => row.length > 0);
  if (others.length === 0) return rowsWithCategories(marked, marked, undefined);
  if (marked.length > 0) return rowsWithCategories(others, [...marked, ...others], columnNames(marked));
  const merged = mergedHeader(others);
  if (merged) return rowsWithCategories(others.slice(merged.rows), others, merged.header);
  if (!isRowOfNames(others)) return rowsWithCategories(others, others, undefined);
  return rowsWithCategories(others.slice(1), others, columnNames(others.slice(0, 1)));
}

/** The rows of a table without merged cells, in which an empty cell is an empty text. */
export const tableTexts = (rows: string[][], isHeaderMarked: boolean): string[] =>
  documentTableTexts({
    rows: rows.map((row) =>
      row.map((text, column) => ({ column, text, isText: isName(text) })).filter(({ text }) => text !== ''),
    ),
    headerRows: isHeaderMarked && rows[0]?.some(Boolean) ? 1 : undefined,
  });

/** Names have letters. Numbers, amounts and times are values. */
export const isName = (text: string) => /\p{L}{2}/u.test(text);

/** Word does not mark headers. Two columns may be names and values, so only wider tables can have a header. */
function isRowOfNames([head = [], ...rest]: Row[]): boolean {
  const width = largest([head, ...rest].flat().map(({ column, span = 1 }) => column + span));
  return rest.length > 0 && width >= 3 && head.length === width && head.every(({ text }) => /^\D{1,40}$/.test(text));
}
