import { largest } from '../extremes.ts';
import { body, type Unit } from './unit.ts';
import type { RowCounter } from '../limits.ts';

/** A filled cell. `isText` is false for values such as numbers and dates, which do not occur in headers. */
export type Cell = {
  column: number;
  text: string;
  isText: boolean;
  /** The number of columns that a merged cell covers. */
  span?: number;
  /** The text of a merged cell that begins in a row above. */
  isRepeated?: boolean;
};
/** The filled cells of a row, from left to right. An empty row has none. */
export type Row = Cell[];

/** Column names by column. */
export type Header = ReadonlyMap<number, string>;

/**
 * A row as text: `Grade: L2; Limit: 50 EUR`, or `L2 | 50 EUR` in a table without a header. A cell that is merged over
 * several columns has the names of all: `Mon / Tue: closed`.
 *
 * Each row repeats the header, because chunks are slices of the document's text. So a row is understood
 * wherever a chunk begins, a search finds it by names and values, and a quote of it is complete.
 */
export const rowText = (row: Row, header: Header | undefined): string =>
  row
    .map((cell) => {
      const names = header ? namesOver(cell, header) : '';
      return names ? `${names}: ${cell.text}` : cell.text;
    })
    .join(header ? '; ' : ' | ');

function namesOver({ column, span = 1 }: Cell, header: Header): string {
  const names = Array.from({ length: span }, (_, index) => header.get(column + index));
  return [...new Set(names.filter(Boolean))].join(' / ');
}

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
    const merged = continues ? undefined : mergedHeader(table);
    const headerRows = merged ? merged.rows : !continues && resemblesHeader(table, isHeaderUsual) ? 1 : 0;
    if (!continues)
      header =
        merged?.header ?? (headerRows > 0 ? new Map(table[0]?.map(({ column, text }) => [column, text])) : undefined);
    const texts = [
      ...captions.map((row) => rowText(row, undefined)),
      ...rowsWithCategories(table.slice(headerRows), table, header),
    ];
    return texts.map((text, index) => body(counter.countWritten(text), { tight: index > 0 }));
  });
}

/**
 * The rows as texts. A row that is one merged cell says what the rows below it belong to, so they repeat it.
 *
 * @param table all rows of the table, with the header
 */
export function rowsWithCategories(rows: Row[], table: Row[], header: Header | undefined): string[] {
  let category = '';
  const widest = largest(table.map((row) => row.length));
  return rows.map((row) => {
    const named = categoryOf(row, widest);
    if (named) category = named;
    return named || (category ? `${category}; ${rowText(row, header)}` : rowText(row, header));
  });
}

const categoryMaxCharacters = 80;

/** The text of a row that is one merged cell over the table's columns: it says what the rows below belong to. */
function categoryOf([cell, ...others]: Row, widest: number): string {
  if (!cell?.span || others.length > 0 || cell.text.length > categoryMaxCharacters) return '';
  return cell.span > 1 && cell.span * 2 >= widest ? cell.text : '';
}

const headerMaxRows = 4;

/**
 * The header of a table in which names are merged over several columns: "Hotel limit" over "2025" and "2026" gives
 * the names "Hotel limit 2025" and "Hotel limit 2026".
 */
export function mergedHeader(table: Row[]): { header: Header; rows: number } | undefined {
  const [head = []] = table;
  if (head.length < 2 || !head.some(({ span = 1 }) => span > 1) || !head.every((cell) => isName(cell)))
    return undefined;
  let rows = 1;
  while (rows < Math.min(headerMaxRows, table.length - 1) && isBelowMerged(table[rows - 1] ?? [], table[rows] ?? []))
    rows++;
  return table.length > rows ? { rows, header: columnNames(table.slice(0, rows)) } : undefined;
}

/** The names of columns that stand in one or more rows above each other. */
export function columnNames(headerRows: Row[]): Header {
  const names = new Map<number, string[]>();
  for (const row of headerRows)
    for (const { column, text, span = 1 } of row)
      for (let at = column; at < column + span; at++) {
        const above = names.get(at) ?? [];
        if (above.at(-1) !== text) names.set(at, [...above, text]);
      }
  return new Map([...names].map(([column, parts]) => [column, parts.join(' ')]));
}

/** Whether a row has names only below merged cells, or cells that are merged with those above. */
const isBelowMerged = (above: Row, row: Row) =>
  above.some(({ span = 1 }) => span > 1) &&
  row.every(
    (cell) =>
      cell.isRepeated ||
      (isName(cell) &&
        above.some(({ column, span = 1 }) => span > 1 && column <= cell.column && cell.column < column + span)),
  );

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
