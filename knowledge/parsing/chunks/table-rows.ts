import { body, type Unit } from './unit.ts';
import type { RowCounter } from '../limits.ts';

/** A filled cell. `isText` is false for numbers, dates and the like, which no header consists of. */
export type Cell = { column: number; text: string; isText: boolean };
/** The filled cells of a row, left to right; none in an empty row. */
export type Row = Cell[];

type Header = ReadonlyMap<number, string>;

/**
 * A row as text: `Grade: L2; Limit: 50 EUR`, or `L2 | 50 EUR` where the table has no header.
 *
 * The header stands in every row and not once above the table, because a chunk is a slice of the document's text: so each
 * row makes sense wherever a chunk begins, a search finds it by both, and a quotation of it is complete.
 */
export const rowText = (row: Row, header: Header | undefined): string =>
  row
    .map(({ column, text }) => (header?.has(column) ? `${header.get(column)}: ${text}` : text))
    .join(header ? '; ' : ' | ');

/** The rows of a table in running text, whose first row is its header: marked as one, or looking like one. */
export function tableTexts(rows: string[][], isHeaderMarked = rows[0]?.some(Boolean) === true): string[] {
  const [head = [], ...rest] = rows.filter((row) => row.some(Boolean));
  const cells = (row: string[]): Row =>
    row.map((text, column) => ({ column, text, isText: true })).filter(({ text }) => text !== '');
  if (rest.length === 0 || !(isHeaderMarked || isRowOfNames(head, rest)))
    return [head, ...rest].map((row) => rowText(cells(row), undefined));
  const header: Header = new Map(cells(head).map(({ column, text }) => [column, text]));
  return rest.map((row) => rowText(cells(row), header));
}

/** Word marks no header. Two columns may as well be names and values, so only wider tables are taken to have one. */
const isRowOfNames = (head: string[], rest: string[][]) =>
  head.length >= 3 && head.every((name) => /^\D{1,40}$/.test(name)) && rest.every((row) => row.length === head.length);

/**
 * The rows of a sheet or CSV file as pieces. Nothing there says where a table begins: an empty row ends one, single cells
 * above it are its caption, and its first row is its header when all of it is short text.
 *
 * @param options.isHeaderUsual two columns may as well be names and values, so in a sheet their first row is a header only
 *                              above a column of numbers; in a CSV file it always is
 */
export function tableUnits(rows: Row[], counter: RowCounter, { isHeaderUsual = false } = {}): Unit[] {
  let header: Header | undefined;
  return blocksOf(rows).flatMap((block) => {
    const first = block.findIndex((row) => row.length > 1);
    const captions = block.slice(0, Math.max(0, first));
    const table = block.slice(captions.length);
    // What stands in a single column after a table is a note; under a caption begins another table.
    const goesOn = header !== undefined && first === 0 && table.every((row) => isUnder(row, header));
    const hasHeader = !goesOn && looksLikeHeader(table, isHeaderUsual);
    if (!goesOn) header = hasHeader ? new Map(table[0]?.map(({ column, text }) => [column, text])) : undefined;
    return [...captions, ...(hasHeader ? table.slice(1) : table)].map((row, index) =>
      body(counter.wrote(rowText(row, index < captions.length ? undefined : header)), { tight: index > 0 }),
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
/** Years are the one kind of number that stands above a column. */
const isName = ({ text, isText }: Cell) => (isText ? text.length <= nameMaxCharacters : /^(?:19|20)\d\d$/.test(text));

function looksLikeHeader([head = [], ...rest]: Row[], isHeaderUsual: boolean): boolean {
  if (rest.length === 0 || head.length === 0) return false;
  if (!head.every((cell) => isName(cell)) || !head.some(({ isText }) => isText)) return false;
  if (new Set(head.map(({ text }) => text)).size < head.length) return false;
  // A row of text among wider ones is one of them.
  if (rest.some((row) => row.length > head.length * 2)) return false;
  return (
    (isHeaderUsual && head.length > 1) || head.length > 2 || head.some(({ column }) => isColumnOfValues(rest, column))
  );
}

function isColumnOfValues(rows: Row[], column: number): boolean {
  const cells = rows.flatMap((row) => row.filter((cell) => cell.column === column));
  return cells.length > 0 && cells.every(({ isText }) => !isText);
}
