import { cellRef, type CellRef, type Table } from '../tables/cells.ts';
import { itemsNamed } from './dictionary.ts';
import { readHeading } from './periods.ts';
import type { DateOrder } from '../tables/dates.ts';

/** A filled cell; `stored`: its plain number where the file has it. */
export type GridCell = { ref: CellRef; text: string; stored: string | null };
/** Line items below each other, periods beside each other. */
export type Grid = (GridCell | undefined)[][];

/** The cells of a table. A table with periods below each other is turned; its cells keep their addresses. */
export function gridOf(table: Table, order: DateOrder | undefined): Grid {
  const grid = table.rows.map((row) =>
    row.texts.map((text, column): GridCell | undefined =>
      text === '' ? undefined : { ref: cellRef(table, row, column), text, stored: row.values?.[column] ?? null },
    ),
  );
  return isSideways(grid, order) ? turned(grid) : grid;
}

/** Whether the columns are line items, and the first cells of the rows are periods. */
function isSideways(grid: Grid, order: DateOrder | undefined): boolean {
  const isPeriod = (cell: GridCell | undefined) => {
    const heading = cell && readHeading(cell.text, order ? { order } : {});
    return heading !== undefined && heading !== 'other';
  };
  return grid.some((row, index) => {
    const items = row.slice(1).filter((cell) => cell && itemsNamed(cell.text).length > 0);
    return items.length >= 1 && !row.slice(1).some(isPeriod) && isPeriod(grid[index + 1]?.[0]);
  });
}

function turned(grid: Grid): Grid {
  const width = grid.reduce((most, row) => Math.max(most, row.length), 0);
  return Array.from({ length: width }, (_, column) => grid.map((row) => row[column]));
}
