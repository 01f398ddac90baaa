import { areaOf } from './xlsx-merges.ts';
import { evaluate, type FormulaValue } from './xlsx-evaluate.ts';
import { formatNumber } from './xlsx-numbers.ts';
import type { Lookups, SheetCell, SheetContent } from './xlsx-sheet.ts';

/** Cells that one formula may refer to, and how far formulas may refer to each other. */
const maxCells = 50_000;
const maxDepth = 200;
/** Steps of all formulas of one workbook. */
const maxSteps = 2_000_000;

type NamedSheet = { name: string; content: SheetContent };

/**
 * Computes formulas for which the program that wrote the file stored no result: arithmetic, references, and the usual
 * functions on numbers and texts. A formula that cannot be computed stays as the cell's text.
 */
export function computeFormulas(sheets: NamedSheet[], lookups: Lookups) {
  if (!sheets.some(({ content }) => content.hasOpenFormulas)) return;
  const cells = new Map(sheets.map(({ name, content }) => [name.toLowerCase(), cellsOf(content)]));
  const results = new Map<SheetCell, FormulaValue>();
  const underWay = new Set<SheetCell>();
  let steps = 0;

  function valueOf(cell: SheetCell | undefined, sheet: string): FormulaValue {
    if (!cell) return null;
    if (cell.formula === undefined)
      return cell.isText ? cell.text : Number.isFinite(Number(cell.raw)) ? Number(cell.raw) : cell.text;
    const known = results.get(cell);
    if (known !== undefined) return known;
    if (underWay.has(cell) || underWay.size > maxDepth) return undefined;
    underWay.add(cell);
    const value = evaluate(cell.formula, (reference, sheetName) => area(reference, sheetName?.toLowerCase() ?? sheet));
    underWay.delete(cell);
    results.set(cell, value);
    return value;
  }

  /** The values of a reference, row by row; undefined when there is no such sheet, or too much in it. */
  function area(reference: string, sheet: string): FormulaValue[] | undefined {
    const range = areaOf(reference);
    const rows = cells.get(sheet);
    if (!range || !rows) return undefined;
    const count = (range.bottom - range.top + 1) * (range.right - range.left + 1);
    steps += count;
    if (count > maxCells || steps > maxSteps) return undefined;
    const values: FormulaValue[] = [];
    for (let row = range.top; row <= range.bottom; row++)
      for (let column = range.left; column <= range.right; column++)
        values.push(valueOf(rows.get(row)?.get(column), sheet));
    return values;
  }

  for (const { name, content } of sheets)
    for (const { cells: row } of content.rows)
      for (const cell of row) {
        if (cell.formula === undefined) continue;
        const value = valueOf(cell, name.toLowerCase());
        if (value === undefined || value === null) continue;
        const format = lookups.formats[Number(cell.style ?? 0)] ?? 'General';
        cell.isText = typeof value === 'string';
        if (typeof value === 'number') cell.raw = String(value);
        cell.text =
          typeof value === 'number'
            ? formatNumber(String(value), format, lookups.countsFrom1904)
            : typeof value === 'boolean'
              ? String(value).toUpperCase()
              : value;
      }
  for (const { content } of sheets)
    for (const row of content.rows) row.cells = row.cells.filter(({ text }) => text !== '');
}

const cellsOf = ({ rows }: SheetContent) =>
  new Map(rows.map(({ number, cells }) => [number, new Map(cells.map((cell) => [cell.column, cell]))]));
