import { AlfredError } from '../../../contract/errors.ts';
import type { Table } from '../tables/cells.ts';
import type { Block } from './find-lines.ts';
import type { Grid } from './grid.ts';

const maxCells = 100_000;
const maxPeriods = 120;
/** A row with more has no periods of a statement, in rows or in columns. */
const maxColumns = 500;

/** @throws AlfredError `invalid_request` */
export function refuseManyCells(tables: readonly Table[]): void {
  const filled = (texts: readonly string[]) => texts.filter((text) => text !== '').length;
  const cells = tables.reduce((sum, { rows }) => rows.reduce((own, { texts }) => own + filled(texts), sum), 0);
  if (cells > maxCells)
    throw new AlfredError(
      'invalid_request',
      `The tables have ${cells} cells, and one analysis takes ${maxCells}. Give fewer sheets or periods.`,
    );
}

/** @throws AlfredError `invalid_request` */
export function refuseWide(name: string, grid: Grid): void {
  const widest = Math.max(0, ...grid.map((row) => row.filter((cell) => cell !== undefined).length));
  if (widest > maxColumns)
    throw new AlfredError(
      'invalid_request',
      `${name} has ${widest} figures beside each other, and one analysis takes ${maxPeriods} periods. Give fewer of them.`,
    );
}

/** @throws AlfredError `invalid_request` */
export function refuseManyPeriods(blocks: readonly Block[]): void {
  const columns = blocks.flatMap((block) => [...block.columns.values()]);
  const periods = new Set(columns.flatMap(({ period }) => (period ? [period.id] : [])));
  if (periods.size > maxPeriods)
    throw new AlfredError(
      'invalid_request',
      `The tables have ${periods.size} periods, and one analysis takes ${maxPeriods}. Give the last ones, or quarters or years in place of months.`,
    );
}
