import type { CellRef } from '../tables/cells.ts';
import type { DateOrder } from '../tables/dates.ts';
import { isEmptyCell, writtenAmount } from '../tables/numbers.ts';
import { itemsNamed, sectionOf } from './dictionary.ts';
import type { LineItem } from './data/line-items.ts';
import type { Grid, GridCell } from './grid.ts';
import { readHeading, type Heading, type Period } from './periods.ts';
import { isUnitLine, readUnits } from './units.ts';

/** A column of figures. */
export type Column = { heading: Heading; ref: CellRef; scale: number | undefined; period?: Period };

/** Lines that stand below one row of periods. */
export type Block = {
  columns: Map<number, Column>;
  scale: number | undefined;
  /** The cell that names the scale. */
  scaleFrom: CellRef | undefined;
  currency: string | undefined;
  lines: FoundLine[];
};
export type FoundLine = { item: LineItem; label: CellRef; cells: Map<number, GridCell> };

/** What was found in a table. `unrecognised`: labels of rows with figures that stand for no line item. */
export type FoundTable = { blocks: Block[]; unrecognised: CellRef[]; leftOut: CellRef[]; percentRows: CellRef[] };

type Section = LineItem['statement'] | undefined;

/** In a cash flow statement these names stand for changes, and not for what the balance sheet has. */
const changesInCashFlow = new Set([
  ...['receivables', 'inventory', 'payables', 'prepaid', 'accrued', 'deferredRevenue', 'cash'],
  ...['otherCurrentAssets', 'otherCurrentLiabilities', 'shortTermInvestments', 'longTermDebt', 'shortTermDebt'],
]);

/** Finds the periods and the line items of a table. @param section what its name speaks of */
export function findLines(grid: Grid, section: Section, order: DateOrder | undefined): FoundTable {
  const found: FoundTable = { blocks: [], unrecognised: [], leftOut: [], percentRows: [] };
  let block: Block | undefined;
  let titles: GridCell[] = [];
  let above: GridCell[] = [];
  for (const row of grid) {
    const filled = row.filter((cell) => cell !== undefined);
    const [first] = filled;
    if (!first) continue;
    const columns = headerOf(row, above, order, found.leftOut);
    if (columns) {
      block = blockOf(columns, [...titles, ...filled]);
      found.blocks.push(block);
      section = sectionOf(first.text) ?? section;
      titles = [];
    } else if (!block || !hasFigures(row, block)) {
      section = sectionOf(first.text) ?? section;
      if (isUnitLine(first.text) && block && block.lines.length === 0) addUnits(block, [first]);
      else titles.push(first);
    } else section = addLine({ row, label: first, block, section, found });
    above = filled;
  }
  return found;
}

/** The columns of a row that is a header: it has periods and nothing else that could be a figure. */
function headerOf(
  row: Grid[number],
  above: GridCell[],
  order: DateOrder | undefined,
  leftOut: CellRef[],
): Map<number, Column> | undefined {
  const columns = new Map<number, Column>();
  const others: CellRef[] = [];
  const first = row.findIndex((cell) => cell !== undefined);
  if (row[first] && itemsNamed(row[first].text).length > 0) return undefined;
  for (const [index, cell] of row.entries()) {
    if (!cell || (index === first && index === 0)) continue;
    const heading = readHeading(cell.text, { ...(order && { order }), yearAbove: yearAbove(index, above, row) });
    if (heading === 'other') others.push(cell.ref);
    else if (heading) columns.set(index, { heading, ref: cell.ref, scale: readUnits(cell.text).scale });
    else if (index !== first && (cell.stored !== null || writtenAmount(cell.text))) return undefined;
  }
  if (columns.size === 0) return undefined;
  leftOut.push(...others);
  return columns;
}

/** The year that stands in the row above, over the column or left of it, as over four quarters. */
function yearAbove(index: number, above: GridCell[], row: Grid[number]): number | undefined {
  const columnAt = (cell: GridCell) => row.findIndex((one) => one && columnOf(one) === columnOf(cell));
  const years = above.filter((cell) => /^(?:FY\s?)?(?:19|20)\d\d$/.test(cell.text));
  const nearest = years.findLast((cell) => {
    const at = columnAt(cell);
    return at >= 0 && at <= index;
  });
  return nearest && Number(/\d{4}/.exec(nearest.text)?.[0]);
}
const columnOf = ({ ref }: GridCell) => ref.cell.replace(/\d+$/, '');

function blockOf(columns: Map<number, Column>, texts: GridCell[]): Block {
  const block: Block = { columns, scale: undefined, scaleFrom: undefined, currency: undefined, lines: [] };
  addUnits(block, texts);
  return block;
}

function addUnits(block: Block, texts: GridCell[]): void {
  for (const { text, ref } of texts) {
    const { scale, currency } = readUnits(text);
    block.currency ??= currency;
    if (scale === undefined || block.scale !== undefined) continue;
    block.scale = scale;
    block.scaleFrom = ref;
  }
}

const hasFigures = (row: Grid[number], { columns }: Block) =>
  [...columns.keys()].some((index) => row[index] && !isEmptyCell(row[index].text));

type Adding = { row: Grid[number]; label: GridCell; block: Block; section: Section; found: FoundTable };

/** @returns the section that the next line stands in */
function addLine({ row, label, block, section, found }: Adding): Section {
  const cells = new Map<number, GridCell>();
  for (const index of block.columns.keys()) {
    const cell = row[index];
    if (cell && !isEmptyCell(cell.text)) cells.set(index, cell);
  }
  const isLabelled = !block.columns.has(row.indexOf(label));
  const candidates = isLabelled ? itemsNamed(label.text) : [];
  const item = candidates.find(({ statement }) => statement === section) ?? candidates[0];
  if ([...cells.values()].every(({ text }) => text.endsWith('%'))) found.percentRows.push(label.ref);
  else if (!item || (section === 'cashflow' && changesInCashFlow.has(item.key))) found.unrecognised.push(label.ref);
  else {
    block.lines.push({ item, label: label.ref, cells });
    const isRepeated = section === 'cashflow' && item.statement === 'income';
    return isRepeated ? section : item.statement;
  }
  return section;
}
