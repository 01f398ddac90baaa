import type { Decimal } from 'decimal.js';
import type { Sheet } from '../../../contract/ports/index.ts';

/** A cell of a table, as people find it: `Income!B4`. */
export type CellRef = { sheet: string; cell: string; text: string };

/** A table of a file. `name` is unlike that of every other table of the request. */
export type Table = Sheet;

/** A number and the cell that it was read from. */
export type CellNumber = { value: Decimal; from: CellRef };

/** The name of a column, from 0: AB is 27. */
export function columnName(column: number): string {
  let name = '';
  for (let rest = column + 1; rest > 0; rest = Math.floor((rest - 1) / 26))
    name = String.fromCharCode(65 + ((rest - 1) % 26)) + name;
  return name;
}

/** The address of a cell; rows count from 1. */
export const addressOf = (row: number, column: number) => `${columnName(column)}${row}`;

export const cellRef = (table: Table, row: Table['rows'][number], column: number): CellRef => ({
  sheet: table.name,
  cell: addressOf(row.row, column),
  text: row.texts[column] ?? '',
});

export const shownCell = ({ sheet, cell }: Pick<CellRef, 'sheet' | 'cell'>) => `${sheet}!${cell}`;
