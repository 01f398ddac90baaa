import type { RowCounter } from '../limits.ts';
import { singleLine } from '../normalise.ts';
import type { OfficePackage } from './office-package.ts';
import { type Attributes, readPart } from './office-xml.ts';
import type { Cell, Row } from '../chunks/table-rows.ts';
import { type Area, areaOf, columnOf as columnOfLetters } from './xlsx-merges.ts';
import { formatNumber } from './xlsx-numbers.ts';

/** Values of a workbook that cells refer to by index. `countsFrom1904`: dates are counted from 1904, not 1900. */
export type Lookups = { texts: string[]; formats: string[]; countsFrom1904: boolean };

/** A cell with what its formula can be computed from. */
export type SheetCell = Cell & { raw: string; style: string | undefined; formula?: string };
export type SheetRow = { number: number; cells: SheetCell[] };
export type SheetContent = { rows: SheetRow[]; merges: Area[]; hasOpenFormulas: boolean };

type Sheet = { name: string; file: OfficePackage; part: string; lookups: Lookups; counter: RowCounter };

/**
 * Reads the filled rows of a sheet (ECMA-376 part 1, 18.3.1), and which cells are merged. A cell with a formula and
 * no result has the formula as its text.
 *
 * @param sheet.name of the file, for error messages
 */
export async function readSheet({ name, file, part, lookups, counter }: Sheet): Promise<SheetContent> {
  const rows: SheetRow[] = [];
  const merges: Area[] = [];
  let hasOpenFormulas = false;
  let row: SheetCell[] = [];
  let rowNumber = 0;
  let cell: Attributes = {};
  let column = -1;
  let value = '';
  let formula = '';
  let open: 'value' | 'formula' | undefined;
  let isPhonetic = false;
  await readPart(name, file, part, {
    opened: (tag, attributes) => {
      open = !isPhonetic && (tag === 'v' || tag === 't') ? 'value' : tag === 'f' ? 'formula' : undefined;
      if (tag === 'row') {
        row = [];
        column = -1;
        rowNumber = Number(attributes.r ?? rowNumber + 1);
      } else if (tag === 'c') {
        cell = attributes;
        column = columnOf(attributes.r) ?? column + 1;
        value = '';
        formula = '';
      } else if (tag === 'rPh') isPhonetic = true;
      else if (tag === 'mergeCell') {
        const area = areaOf(attributes.ref ?? '');
        if (area && merges.length < maxMerges) merges.push(area);
      } else if (tag === 'f') formula = attributes.t === 'shared' ? sharedFormula : '';
    },
    text: (piece) => {
      if (open === 'value') value += piece;
      else if (open === 'formula') formula = (formula === sharedFormula ? '' : formula) + piece;
    },
    closed: (tag) => {
      open = undefined;
      if (tag === 'rPh') isPhonetic = false;
      else if (tag === 'c') {
        const text = value === '' && formula !== '' ? '' : cellText(value, cell, lookups);
        const common = { column, raw: value, style: cell.s, isText: isTextType(cell.t) };
        if (text !== '') row.push({ ...common, text });
        else if (formula !== '') {
          hasOpenFormulas = true;
          row.push({ ...common, text: formulaText(formula), formula, isText: false });
        }
      } else if (tag === 'row' && row.length > 0) {
        counter.countRead(row.reduce((sum, { text }) => sum + text.length, 0));
        rows.push({ number: rowNumber, cells: row.sort(byColumn) });
      }
    },
  });
  return { rows, merges, hasOpenFormulas };
}

const maxMerges = 20_000;
/** Stands for a formula that refers to that of another cell. */
const sharedFormula = ' ';

const formulaText = (formula: string) =>
  formula === sharedFormula ? '(formula without a stored result)' : singleLine(`=${formula} (result not stored)`);

/** The rows as the form that tables are made of. One empty row stands for each gap between them. */
export const withGaps = (rows: SheetRow[]): Row[] =>
  rows.flatMap(({ number, cells }, index) => (number > (rows[index - 1]?.number ?? 0) + 1 ? [[], cells] : [cells]));

const isTextType = (type = 'n') => type === 's' || type === 'str' || type === 'inlineStr';

function cellText(value: string, { t: type = 'n', s: style }: Attributes, lookups: Lookups): string {
  switch (type) {
    case 's':
      return lookups.texts[Number(value)] ?? '';
    case 'b':
      return value === '1' ? 'TRUE' : 'FALSE';
    case 'n':
      return formatNumber(value, lookups.formats[Number(style ?? 0)] ?? 'General', lookups.countsFrom1904);
    default:
      return singleLine(value);
  }
}

/** The column of a cell reference, from 0: 27 for `AB12`. */
function columnOf(reference: string | undefined): number | undefined {
  const letters = /^[A-Z]{1,3}/.exec(reference ?? '')?.[0];
  return letters === undefined ? undefined : columnOfLetters(letters);
}

const byColumn = (a: Cell, b: Cell) => a.column - b.column;
