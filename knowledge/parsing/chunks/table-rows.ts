import { body, type Unit } from './unit.ts';
import type { RowCounter } from '../limits.ts';

/** A filled cell. `isText` is false for values such as numbers and dates, which do not occur in headers. */
export type Cell = { column: number; text: string; isText: boolean };
/** The filled cells of a row, from left to right. An empty row has none. */
export type Row = Cell[];

/** Column names by column. */
type Header = ReadonlyMap<number, string>;

/**
 * A row as text: `Grade: L2; Limit: 50 EUR`, or `L2 | 50 EUR` in a table without a header.
 *
 * Each row repeats the header, because chunks are slices of the document's text. So a row is understood
 * wherever a chunk begins, a search finds it by names and values, and a quote of it is complete.
 */
export const rowText = (row: Row, header: Header | undefined): string =>
  row
    .map(({ column, text }) => (header?.has(column) ? `${header.get(column)}: ${text}` : text))
    .join(header ? '; ' : ' | ');

/**
 * The rows of a table in a text document.
 *
 * @param isHeaderMarked the first row is the header; otherwise it is one only if it looks like one
 */
export function tableTexts(rows: string[][], isHeaderMarked = rows[0]?.some(Boolean) === true): string[] {
  const [head = [], ...rest] = rows.filter((row) => row.some(Boolean));
  const cells = (row: string[]): Row =>
    row.map((text, column) => ({ column, text, isText: true })).filter(({ text }) => text !== '');
  if (rest.length === 0 || !(isHeaderMarked || isRowOfNames(head, rest)))
    return [head, ...rest].map((row) => rowText(cells(row), undefined));
  const header: Header = new Map(cells(head).map(({ column, text }) => [column, text]));
  return rest.map((row) => rowText(cells(row), header));
}

/** Word does not mark headers. Two columns may be names and values, so only wider tables can have a header. */
const isRowOfNames = (head: string[], rest: string[][]) =>
  head.length >= 3 && head.every((name) => /^\D{1,40}$/.test(name)) && rest.every((row) => row.length === head.length);

/**
 * The rows of a sheet or CSV file as pieces. Such files do not mark tables, so
 * tables are recognised: an empty row ends a table, single cells above it are its
 * caption, and the first row is the header when all of its cells are short texts.
 *
 * @param options.isHeaderUsual true for CSV files, whose first row is usually a header. In a sheet, two columns
 *   may be names and values: there the first of two columns' rows is a header only above a column of values
 */
export function tableUnits(rows: Row[], counter: RowCounter, { isHeaderUsual = false } = {}): Unit[] {
  let header: Header | undefined;
  return blocksOf(rows).flatMap((block) => {
    const first = block.findIndex((row) => row.length > 1);
    const captions = block.slice(0, Math.max(0, first));
    const table = block.slice(captions.length);
    // Rows in the header's columns continue the table above. After a caption a new table begins.
    const continues = header !== undefined && first === 0 && table.every((row) => isUnder(row, header));
    const hasHeader = !continues && resemblesHeader(table, isHeaderUsual);
    if (!continues) header = hasHeader ? new Map(table[0]?.map(({ column, text }) => [column, text])) : undefined;
    return [...captions, ...(hasHeader ? table.slice(1) : table)].map((row, index) =>
      body(counter.countWritten(rowText(row, index < captions.length ? undefined : header)), { tight: index > 0 }),
    );
  });
}

function blocksOf(rows: Row[]): Row[][] {
  const blocks: Row[][] = [[]];
  for (const row of rows) {
    if (row.length > 0) blocks.at(-1)?.push(row);
    else if (blocks.at(-1)?.length) blocks.push([]);
  }
  return blocks.filter((block) => block.length > 0);
}

const isUnder = (row: Row, header: Header | undefined) => row.every(({ column }) => header?.has(column));

const nameMaxCharacters = 80;
/** Of all numbers, only years occur as column names. */
const isName = ({ text, isText }: Cell) => (isText ? text.length <= nameMaxCharacters : /^(?:19|20)\d\d$/.test(text));

function resemblesHeader([head = [], ...rest]: Row[], isHeaderUsual: boolean): boolean {
  if (rest.length === 0 || head.length === 0) return false;
  if (!head.every((cell) => isName(cell)) || !head.some(({ isText }) => isText)) return false;
  if (new Set(head.map(({ text }) => text)).size < head.length) return false;
  // A row of text above much wider rows is data, not their header.
  if (rest.some((row) => row.length > head.length * 2)) return false;
  return (
    (isHeaderUsual && head.length > 1) || head.length > 2 || head.some(({ column }) => isColumnOfValues(rest, column))
  );
}

function isColumnOfValues(rows: Row[], column: number): boolean {
  const cells = rows.flatMap((row) => row.filter((cell) => cell.column === column));
  return cells.length > 0 && cells.every(({ isText }) => !isText);
}
