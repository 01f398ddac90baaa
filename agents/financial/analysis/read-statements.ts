import { Decimal } from 'decimal.js';
import { AlfredError } from '../../../contract/errors.ts';
import { shownCell, type CellNumber, type CellRef, type Table } from '../tables/cells.ts';
import type { DateOrder } from '../tables/dates.ts';
import { currencyCode, findNumberStyle, toAmount, writtenAmount, type DecimalMark } from '../tables/numbers.ts';
import { sectionOf } from './dictionary.ts';
import { findLines, type Block, type FoundLine, type FoundTable } from './find-lines.ts';
import { gridOf } from './grid.ts';
import { periodEndingOn, type Period, type PeriodKind } from './periods.ts';
import { refuseManyCells, refuseManyPeriods, refuseWide } from './statement-limits.ts';
import { readUnits, scaleName } from './units.ts';

export type Line = { label: CellRef; values: Map<string, CellNumber> };

/** What statements say. `lines` by the key of their item, `values` by the id of their period. */
export type Statements = {
  periods: Period[];
  lines: Map<string, Line>;
  currency: string | undefined;
  /** What the figures are rounded to: 100 where a table is in thousands with one decimal. */
  unit: number;
  /** Items of which two lines have different values: neither is used. */
  conflicts: { key: string; period: string; cells: CellNumber[] }[];
  unrecognised: CellRef[];
  /** Cells in place of a figure that are none. */
  unreadable: CellRef[];
  notes: string[];
};

export type ReadOptions = {
  decimalMark?: DecimalMark | undefined;
  dateOrder?: DateOrder | undefined;
  /** Of tables that name none. */
  scale?: number | undefined;
};

const maxRows = 5_000;

/** @throws AlfredError `invalid_request` when no periods or line items are found, or amounts can be read in two ways */
export async function readStatements(
  tables: readonly Table[],
  options: ReadOptions,
  pause: () => Promise<void>,
): Promise<Statements> {
  const big = tables.find(({ rows }) => rows.length > maxRows);
  if (big)
    throw new AlfredError(
      'invalid_request',
      `${big.name} has ${big.rows.length} rows, and a statement may have ${maxRows}. For bookings there is TAX_COMPLIANCE_CHECK.`,
    );
  refuseManyCells(tables);
  const found: Found[] = [];
  for (const table of tables) {
    await pause();
    const grid = gridOf(table, options.dateOrder);
    refuseWide(table.name, grid);
    found.push({ table, ...findLines(grid, sectionOf(table.name.replace(/\.\w+$/, '')), options.dateOrder) });
  }
  const statements: Statements = {
    periods: [],
    lines: new Map(),
    currency: undefined,
    unit: 0,
    conflicts: [],
    unrecognised: found.flatMap(({ unrecognised }) => unrecognised),
    unreadable: [],
    notes: found.flatMap(notesOf),
  };
  refuseNothing(found);
  settleScales(found, options.scale);
  settlePeriods(
    found.flatMap(({ blocks }) => blocks),
    statements.notes,
  );
  refuseManyPeriods(found.flatMap(({ blocks }) => blocks));
  for (const { table, blocks } of found) {
    await pause();
    addTable(statements, { table, blocks }, options);
  }
  statements.periods = periodsOf(
    statements,
    found.flatMap(({ blocks }) => blocks),
  );
  statements.currency = currencyOf(found.flatMap(({ blocks }) => blocks));
  return statements;
}

type Found = FoundTable & { table: Table };

function refuseNothing(found: readonly Found[]): void {
  const blocks = found.flatMap((one) => one.blocks);
  const names = found.map(({ table }) => table.name).join(', ');
  if (blocks.length === 0)
    throw new AlfredError(
      'invalid_request',
      `No periods were found in ${names}. A statement has a row (or a first column) with periods like 2024, Q1 2024, Jan 2024 or 31.12.2024.`,
    );
  if (blocks.some(({ lines }) => lines.length > 0)) return;
  const rows = found.flatMap(({ unrecognised }) => unrecognised.map(({ text }) => text));
  throw new AlfredError(
    'invalid_request',
    `No line of ${names} has a known name${rows.length > 0 ? ` (found: ${rows.slice(0, 10).join(', ')})` : ''}. Use names like Revenue, Cost of sales, Net income, Total assets, Equity.`,
  );
}

function notesOf({ table, leftOut, percentRows }: Found): string[] {
  const list = (refs: CellRef[]) =>
    refs
      .slice(0, 10)
      .map(({ text, cell }) => `${text} (${cell})`)
      .join(', ');
  return [
    ...(leftOut.length > 0 ? [`${table.name}: columns that are no actual period are left out: ${list(leftOut)}.`] : []),
    ...(percentRows.length > 0 ? [`${table.name}: rows of percentages are left out: ${list(percentRows)}.`] : []),
  ];
}

/**
 * A table's own name may have its unit, as `P&L in EUR m`.
 *
 * @throws AlfredError `invalid_request` when one table names a unit and another does not: they cannot be compared
 */
function settleScales(found: readonly Found[], scale: number | undefined): void {
  for (const { table, blocks } of found)
    for (const block of blocks) {
      const units = readUnits(table.name);
      block.scale ??= units.scale;
      block.currency ??= units.currency;
    }
  const used = found.flatMap(({ table, blocks }) =>
    blocks
      .filter(({ lines }) => lines.length > 0)
      .map((block) => ({ name: table.name, scale: block.scale ?? [...block.columns.values()][0]?.scale ?? scale })),
  );
  const [named, silent] = [used.find((one) => one.scale !== undefined), used.find((one) => one.scale === undefined)];
  if (!named || !silent) return;
  const unit = scaleName[named.scale ?? 1] ?? `multiples of ${named.scale}`;
  throw new AlfredError(
    'invalid_request',
    `${named.name} says that its amounts are in ${unit}, and ${silent.name} says nothing. Give \`scale\` for the tables that say nothing: 1, or ${named.scale} for ${unit}.`,
  );
}

/** Gives each column its period. A day is the end of one, whose length the other columns show. */
function settlePeriods(blocks: readonly Block[], notes: string[]): void {
  const columns = blocks.flatMap((block) => [...block.columns.values()]);
  for (const column of columns) if (!('day' in column.heading)) column.period = column.heading;
  const known = new Set(columns.flatMap(({ period }) => (period ? [period.id] : [])));
  const kinds = [...new Set(columns.flatMap(({ period }) => (period ? [period.kind] : [])))];
  for (const block of blocks) {
    const open = [...block.columns.values()].flatMap((column) =>
      'day' in column.heading && !column.period ? [{ column, day: column.heading.day }] : [],
    );
    if (open.length === 0) continue;
    const kind =
      kindByDistance(open.map(({ day }) => day)) ??
      kindBeside(
        open.map(({ day }) => day),
        kinds,
        known,
      );
    for (const { column, day } of open) {
      const period = kind && periodEndingOn(day, kind);
      if (period) column.period = period;
      else
        notes.push(
          `${shownCell(column.ref)}: it is not known how long the period is that ends on ${day}, so the column is left out. Head it with a year, quarter or month.`,
        );
    }
  }
}

/** Days that are a year, half, quarter or month apart are ends of such periods. */
function kindByDistance(days: string[]): PeriodKind | undefined {
  const months = days.map((day) => Number(day.slice(0, 4)) * 12 + Number(day.slice(5, 7))).sort((a, b) => a - b);
  const gaps = months.slice(1).map((month, index) => month - (months[index] ?? 0));
  if (gaps.length === 0) return undefined;
  const kinds: Record<number, PeriodKind> = { 1: 'month', 3: 'quarter', 6: 'half', 12: 'year' };
  return kinds[Math.min(...gaps)];
}

/** The kind of the other tables, if these days end periods that they have. */
function kindBeside(days: string[], kinds: PeriodKind[], known: ReadonlySet<string>): PeriodKind | undefined {
  const fitting = kinds.filter((kind) => days.some((day) => known.has(periodEndingOn(day, kind)?.id ?? '')));
  return fitting.length === 1 ? fitting[0] : undefined;
}

function addTable(statements: Statements, { table, blocks }: { table: Table; blocks: Block[] }, options: ReadOptions) {
  const samples = function* () {
    for (const { lines } of blocks)
      for (const { cells } of lines)
        for (const { text, stored, ref } of cells.values()) {
          const core = stored === null ? writtenAmount(text)?.core : undefined;
          if (core !== undefined) yield { core, where: ref.cell };
        }
  };
  const style = options.decimalMark ? { mark: options.decimalMark } : findNumberStyle(table.name, samples());
  if ('note' in style && style.note) statements.notes.push(style.note);
  for (const block of blocks) addBlock(statements, block, { mark: style.mark, scale: options.scale });
}

function addBlock(
  statements: Statements,
  block: Block,
  { mark, scale }: { mark: DecimalMark; scale: number | undefined },
) {
  const read = block.lines.map((line) => ({ line, values: valuesOf(statements, block, line, mark) }));
  const costs = read.filter(({ line }) => line.item.costs).flatMap(({ values }) => [...values.values()]);
  const areNegative =
    costs.length > 0 && costs.filter(({ value }) => value.isNegative() && !value.isZero()).length * 2 > costs.length;
  if (areNegative) statements.notes.push(`${costs[0]?.from.sheet}: costs are written as negative numbers there.`);
  const places = read.flatMap(({ values }) => [...values.values()].map(({ value }) => value.decimalPlaces()));
  // Numbers of workbooks may have more, which no person has written.
  const decimals = Math.min(2, Math.max(0, ...places));
  for (const { line, values } of read)
    for (const [index, { value, from }] of values) {
      const column = block.columns.get(index);
      if (!column?.period) continue;
      const factor = column.scale ?? block.scale ?? scale ?? 1;
      statements.unit = Math.max(statements.unit, factor / 10 ** decimals);
      const isNegated = line.item.costs && isWrittenNegative([...values.values()], areNegative);
      addValue(statements, line, column.period, { value: (isNegated ? value.negated() : value).times(factor), from });
    }
  const named = block.scale ?? scale;
  if (named !== undefined && named !== 1 && block.lines.length > 0)
    statements.notes.push(
      `${block.lines[0]?.label.sheet}: amounts are in ${scaleName[named] ?? named}${block.scaleFrom ? ` (${block.scaleFrom.cell})` : block.scale === undefined ? ', as the request says' : ', as its name says'}.`,
    );
}

/** A row with one sign is written in that sign; one with both follows the others. */
function isWrittenNegative(values: CellNumber[], areNegative: boolean): boolean {
  const signs = new Set(values.filter(({ value }) => !value.isZero()).map(({ value }) => value.isNegative()));
  return signs.size === 1 ? signs.has(true) : areNegative;
}

function valuesOf(
  statements: Statements,
  block: Block,
  { cells }: FoundLine,
  mark: DecimalMark,
): Map<number, CellNumber> {
  const values = new Map<number, CellNumber>();
  for (const [index, { text, stored, ref }] of cells) {
    const written = stored === null ? writtenAmount(text) : undefined;
    const amount =
      stored === null ? written && toAmount(written, mark) : { value: new Decimal(stored), currency: undefined };
    if (!amount) statements.unreadable.push(ref);
    else {
      values.set(index, { value: amount.value, from: ref });
      block.currency ??= amount.currency && currencyCode(amount.currency);
    }
  }
  return values;
}

function addValue(statements: Statements, { item, label }: FoundLine, { id }: Period, value: CellNumber): void {
  const { key } = item;
  const line = statements.lines.get(key) ?? { label, values: new Map<string, CellNumber>() };
  statements.lines.set(key, line);
  const known = statements.conflicts.find((one) => one.key === key && one.period === id);
  const before = line.values.get(id);
  if (known) known.cells.push(value);
  else if (!before) line.values.set(id, value);
  else if (!isSame(before, value, item.costs)) {
    statements.conflicts.push({ key, period: id, cells: [before, value] });
    line.values.delete(id);
  }
}

const isSame = (a: CellNumber, b: CellNumber, costs: true | undefined) =>
  costs ? a.value.abs().equals(b.value.abs()) : a.value.equals(b.value);

function periodsOf({ lines }: Statements, blocks: readonly Block[]): Period[] {
  const used = new Set([...lines.values()].flatMap(({ values }) => [...values.keys()]));
  const byId = new Map<string, Period>();
  for (const { columns } of blocks)
    for (const { period } of columns.values()) if (period && used.has(period.id)) byId.set(period.id, period);
  return [...byId.values()].sort((a, b) => a.last - b.last || a.id.localeCompare(b.id));
}

/** @throws AlfredError `invalid_request`: ratios over two currencies mean nothing */
function currencyOf(blocks: readonly Block[]): string | undefined {
  const currencies = [
    ...new Set(blocks.flatMap(({ currency, lines }) => (currency && lines.length > 0 ? [currency] : []))),
  ];
  const named = currencies.filter((currency) => currency !== '$');
  const dollars = new Set(['USD', 'CAD', 'AUD', 'SGD']);
  const isMixed = named.length > 1 || (named.length === 1 && currencies.includes('$') && !dollars.has(named[0] ?? ''));
  if (!isMixed) return named[0] ?? currencies[0];
  throw new AlfredError(
    'invalid_request',
    `The tables are in several currencies (${currencies.join(', ')}). Give statements in one currency.`,
  );
}
