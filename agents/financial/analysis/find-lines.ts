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
const changesInCashFlow = new Set(
  'receivables inventory payables prepaid accrued deferredRevenue cash otherCurrentAssets otherCurrentLiabilities shortTermInvestments longTermDebt shortTermDebt'.split(
    ' ',
  ),
);

/** Finds the periods and the line items of a table. @param section what its name speaks of */
export function findLines(grid: Grid, section: Section, order: DateOrder | undefined): FoundTable {
  const found: FoundTable = { blocks: [], unrecognised: [], leftOut: [], percentRows: [] };
  let block: Block | undefined;
  let titles: GridCell[] = [];
  let above: GridCell[] = [];
  let headed = section;
  let last: Section;
  for (const row of grid) {
    const filled = row.filter((cell) => cell !== undefined);
    const [first] = filled;
    if (!first) continue;
    const columns = headerOf(row, above, order, found.leftOut);
    if (columns) {
      block = blockOf(columns, [...titles, ...filled], block);
      found.blocks.push(block);
      headed =
        titles.map(({ text }) => sectionOf(text)).findLast((one) => one !== undefined) ??
        sectionOf(first.text) ??
        headed;
      titles = [];
    } else if (!block || !hasFigures(row, block)) {
      headed = sectionOf(first.text) ?? headed;
      if (isUnitLine(first.text) && block && block.lines.length === 0) addUnits(block, [first]);
      else titles.push(first);
    } else {
      const item = addLine({ row, label: first, block, found }, { headed, last });
      // In a cash flow statement profit and depreciation stand again.
      if (item && !(headed === 'cashflow' && item.statement === 'income')) last = item.statement;
      // Lines of another statement have begun without a heading.
      if (headed !== undefined && last !== undefined && last !== headed) headed = undefined;
    }
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
  const years = yearsAbove(above, row);
  for (const [index, cell] of row.entries()) {
    if (!cell || (index === first && index === 0)) continue;
    const heading = readHeading(cell.text, {
      ...(order && { order }),
      yearAbove: years.findLast(({ at }) => at <= index)?.year,
    });
    if (heading === 'other') others.push(cell.ref);
    else if (heading) columns.set(index, { heading, ref: cell.ref, scale: readUnits(cell.text).scale });
    else if (index !== first && (cell.stored !== null || writtenAmount(cell.text))) return undefined;
  }
  if (columns.size === 0) return undefined;
  leftOut.push(...others);
  return columns;
}

/** The years of the row above. One counts for its column and those right of it, as over four quarters. */
function yearsAbove(above: GridCell[], row: Grid[number]): { at: number; year: number }[] {
  const years = above.filter((cell) => /^(?:FY\s?)?(?:19|20)\d\d$/.test(cell.text));
  if (years.length === 0) return [];
  const indexes = new Map(row.flatMap((cell, index) => (cell ? [[columnOf(cell), index] as const] : [])));
  return years.flatMap((cell) => {
    const at = indexes.get(columnOf(cell));
    return at === undefined ? [] : [{ at, year: Number(/\d{4}/.exec(cell.text)?.[0]) }];
  });
}
const columnOf = ({ ref }: GridCell) => ref.cell.replace(/\d+$/, '');

/** @param before the block above, whose unit counts on where this one names none */
function blockOf(columns: Map<number, Column>, texts: GridCell[], before: Block | undefined): Block {
  const block: Block = { columns, scale: undefined, scaleFrom: undefined, currency: undefined, lines: [] };
  addUnits(block, texts);
  block.scale ??= before?.scale;
  block.scaleFrom ??= before?.scaleFrom;
  block.currency ??= before?.currency;
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

type Adding = { row: Grid[number]; label: GridCell; block: Block; found: FoundTable };

/**
 * @param sections `headed`: of the heading above; `last`: of the line above
 * @returns the item that the line is
 */
function addLine(
  { row, label, block, found }: Adding,
  { headed, last }: { headed: Section; last: Section },
): LineItem | undefined {
  const cells = new Map<number, GridCell>();
  for (const index of block.columns.keys()) {
    const cell = row[index];
    if (cell && !isEmptyCell(cell.text)) cells.set(index, cell);
  }
  const isLabelled = !block.columns.has(row.indexOf(label));
  const candidates = isLabelled ? itemsNamed(label.text) : [];
  const item = candidates.find(({ statement }) => statement === (headed ?? last)) ?? candidates[0];
  if ([...cells.values()].every(({ text }) => text.endsWith('%'))) found.percentRows.push(label.ref);
  else if (!item || (headed === 'cashflow' && changesInCashFlow.has(item.key))) found.unrecognised.push(label.ref);
  else {
    block.lines.push({ item, label: label.ref, cells });
    return item;
  }
  return undefined;
}
