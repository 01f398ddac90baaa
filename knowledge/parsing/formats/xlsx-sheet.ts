import type { RowCounter } from '../limits.ts';
import { singleLine } from '../normalise.ts';
import type { OfficePackage } from './office-package.ts';
import { type Attributes, readPart } from './office-xml.ts';
import type { Cell, Row } from '../chunks/table-rows.ts';
import { formatNumber } from './xlsx-numbers.ts';

/** Values of a workbook that cells refer to by index. `countsFrom1904`: dates are counted from 1904, not 1900. */
export type Lookups = { texts: string[]; formats: string[]; countsFrom1904: boolean };

type Sheet = { name: string; file: OfficePackage; part: string; lookups: Lookups; counter: RowCounter };

/**
 * Reads the filled rows of a sheet (ECMA-376 part 1, 18.3.1). One empty row stands for each gap between them.
 *
 * @param sheet.name of the file, for error messages
 */
export async function readSheet({ name, file, part, lookups, counter }: Sheet): Promise<Row[]> {
  const rows: Row[] = [];
  let row: Row = [];
  let lastRowNumber = 0;
  let rowNumber = 0;
  let cell: Attributes = {};
  let column = -1;
  let value = '';
  let isValue = false;
  let isPhonetic = false;
  await readPart(name, file, part, {
    opened: (tag, attributes) => {
      isValue = !isPhonetic && (tag === 'v' || tag === 't');
      if (tag === 'row') {
        row = [];
        column = -1;
        rowNumber = Number(attributes.r ?? rowNumber + 1);
      } else if (tag === 'c') {
        cell = attributes;
        column = columnOf(attributes.r) ?? column + 1;
        value = '';
      } else if (tag === 'rPh') isPhonetic = true;
    },
    text: (piece) => {
      if (isValue) value += piece;
    },
    closed: (tag) => {
      isValue = false;
      if (tag === 'rPh') isPhonetic = false;
      else if (tag === 'c') {
        const text = cellText(value, cell, lookups);
        if (text !== '') row.push({ column, text, isText: isTextType(cell.t) });
      } else if (tag === 'row' && row.length > 0) {
        counter.countRead(row.reduce((sum, { text }) => sum + text.length, 0));
        if (rowNumber > lastRowNumber + 1) rows.push([]);
        lastRowNumber = rowNumber;
        rows.push(row.sort(byColumn));
      }
    },
  });
  return rows;
}

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
  return letters === undefined
    ? undefined
    : [...letters].reduce((number, letter) => number * 26 + letter.charCodeAt(0) - 64, 0) - 1;
}

const byColumn = (a: Cell, b: Cell) => a.column - b.column;
