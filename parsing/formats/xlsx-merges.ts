import type { Cell, Row } from '../chunks/table-rows.ts';

/** Cells from the upper left to the lower right one; rows count from 1, columns from 0. */
export type Area = { top: number; left: number; bottom: number; right: number };
/** A row of a sheet with its number. */
export type NumberedRow = { number: number; cells: Row };

/** A longer text in a merged cell is a note beside the rows, not what they belong to. */
const repeatMaxCharacters = 200;

/** The area of a reference like `A3:B5` or `C7`; undefined when it is none. */
export function areaOf(reference: string): Area | undefined {
  const corners = reference.split(':').map(cellOf);
  const [first, last = first] = corners;
  if (!first || !last) return undefined;
  return {
    top: Math.min(first.row, last.row),
    left: Math.min(first.column, last.column),
    bottom: Math.max(first.row, last.row),
    right: Math.max(first.column, last.column),
  };
}

/** The column from 0 and the row from 1: `AB12` is { column: 27, row: 12 }. */
export function cellOf(reference: string): { column: number; row: number } | undefined {
  const [, letters, digits] = /^\$?([A-Z]{1,3})\$?(\d{1,7})$/i.exec(reference) ?? [];
  return letters === undefined ? undefined : { column: columnOf(letters), row: Number(digits) };
}

export const columnOf = (letters: string) =>
  [...letters.toUpperCase()].reduce((number, letter) => number * 26 + letter.charCodeAt(0) - 64, 0) - 1;

/** Repeats the text of a merged cell in each of its rows, so that every row says what it belongs to. */
export function repeatMerged(rows: NumberedRow[], merges: Area[]) {
  if (merges.length === 0) return;
  const byNumber = new Map(rows.map(({ number, cells }) => [number, cells]));
  for (const { top, left, bottom, right } of merges) {
    const origin = byNumber.get(top)?.find(({ column }) => column === left);
    if (!origin) continue;
    if (right > left) origin.span = right - left + 1;
    if (bottom === top || origin.text.length > repeatMaxCharacters) continue;
    for (const { number, cells } of rows) {
      if (number <= top || number > bottom || cells.some(({ column }) => column === left)) continue;
      const copy: Cell = { ...origin, isRepeated: true };
      const at = cells.findIndex(({ column }) => column > left);
      cells.splice(at < 0 ? cells.length : at, 0, copy);
    }
  }
}
