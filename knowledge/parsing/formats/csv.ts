import { CsvError, type Options, parse } from 'csv-parse/sync';
import { fileProblem } from '../file-problem.ts';
import { countRows } from '../limits.ts';
import { singleLine } from '../normalise.ts';
import { type Row, tableUnits } from '../chunks/table-rows.ts';
import type { Outline } from '../chunks/unit.ts';

/** A row of this size is a lost quotation mark. */
const maxRowCharacters = 1_000_000;

/** In order of preference: where two fit as well, the first is meant. */
const delimiters = [',', ';', '\t', '|'];
/** So much of a file shows how its values are separated. */
const sample = { characters: 64_000, rows: 50 };

/**
 * Comma, semicolon, tab or bar separated values: the file shows which. The first row is taken for the header when it
 * looks like one.
 *
 * @throws AlfredError `file_unreadable` or `file_too_large`
 */
export function readCsv(name: string, text: string): Outline {
  const counter = countRows(name);
  const rows: Row[] = [];
  try {
    eachRecord(text, { delimiter: delimiterOf(text) }, (record) => {
      const row = rowOf(record);
      if (row.length > 0) counter.met(row.reduce((sum, { text }) => sum + text.length, 0));
      rows.push(row);
    });
  } catch (error) {
    throw error instanceof CsvError ? damaged(name, error) : error;
  }
  return { title: undefined, units: tableUnits(rows, counter, { isHeaderUsual: true }) };
}

function eachRecord(text: string, options: Options, take: (record: string[]) => void) {
  parse(text, {
    bom: true,
    relax_column_count: true,
    relax_quotes: true,
    max_record_size: maxRowCharacters,
    ...options,
    on_record: (record: string[]) => {
      take(record);
      // The library would keep every record a second time.
      return null;
    },
  });
}

/** The one that cuts most rows into the same number of values, and into many. */
function delimiterOf(text: string): string {
  const scores = delimiters.map((delimiter) => {
    const widths = new Map<number, number>();
    const count = ({ length }: string[]) => void (length > 1 && widths.set(length, (widths.get(length) ?? 0) + 1));
    try {
      eachRecord(text.slice(0, sample.characters), { delimiter, to: sample.rows }, count);
    } catch (error) {
      // The sample may end within quotation marks; the rows before that have been counted.
      if (!(error instanceof CsvError)) throw error;
    }
    return Math.max(0, ...[...widths].map(([width, rows]) => rows + width / 1_000));
  });
  return delimiters[scores.indexOf(Math.max(...scores))] ?? ',';
}

const rowOf = (record: string[]): Row =>
  record
    .map((value, column) => ({ column, text: singleLine(value), isText: !isValue(value) }))
    .filter(({ text }) => text !== '');

/** Numbers, dates, amounts with their unit; `Q1` is a name. */
const isValue = (text: string) => /^[^\p{L}]*\d[^\p{L}]*(?:\p{L}{1,3}\.?)?$/u.test(text);

function damaged(name: string, { code, message, lines }: CsvError & { lines?: unknown }) {
  const where = typeof lines === 'number' ? ` near line ${lines}` : '';
  const what =
    code === 'CSV_QUOTE_NOT_CLOSED'
      ? 'a quotation mark is opened and never closed'
      : code === 'CSV_MAX_RECORD_SIZE'
        ? 'a row is longer than a million characters'
        : message;
  return fileProblem('file_unreadable', name, `${what}${where}. Correct it and add the file again.`);
}
