import { CsvError, type Options, parse } from 'csv-parse/sync';
import { largest } from '../extremes.ts';
import { fileProblem } from '../file-problem.ts';
import { countRows } from '../limits.ts';
import { singleLine } from '../normalise.ts';
import { type Row, tableUnits } from '../chunks/table-rows.ts';
import type { Outline } from '../chunks/unit.ts';

/** A longer row means that a closing quotation mark is missing. */
const maxRowCharacters = 1_000_000;

/** In order of preference, for files that fit several equally well. */
const delimiters = [',', ';', '\t', '|'];
/** How much of a file is read to find its delimiter. */
const sample = { characters: 64_000, rows: 50 };

/**
 * Reads values that are separated by commas, semicolons, tabs or bars. The delimiter is detected. The first row is the
 * header when it looks like one.
 *
 * @throws AlfredError `file_unreadable` or `file_too_large`
 */
export function readCsv(name: string, text: string): Outline {
  const counter = countRows(name);
  const rows: Row[] = [];
  readCsvRecords(name, text, (record) => {
    const row = rowOf(record);
    if (row.length > 0) counter.countRead(row.reduce((sum, { text }) => sum + text.length, 0));
    rows.push(row);
  });
  return { title: undefined, units: tableUnits(rows, counter, { isHeaderUsual: true }) };
}

/** The values of each line of a CSV file. @throws AlfredError `file_unreadable` or `file_too_large` */
export function readCsvRecords(name: string, text: string, onRecord: (record: string[]) => void): void {
  try {
    parseRecords(text, { delimiter: detectDelimiter(text) }, onRecord);
  } catch (error) {
    throw error instanceof CsvError ? damaged(name, error) : error;
  }
}

function parseRecords(text: string, options: Options, onRecord: (record: string[]) => void) {
  parse(text, {
    bom: true,
    relax_column_count: true,
    relax_quotes: true,
    max_record_size: maxRowCharacters,
    // Some programs write a space between delimiter and quotation mark. A tab may be an empty cell.
    ltrim: options.delimiter !== '\t',
    ...options,
    on_record: (record: string[]) => {
      onRecord(record);
      // Null keeps the library from collecting the records as well.
      return null;
    },
  });
}

/** The delimiter that splits most rows into the same number of values; of equal ones, into the most values. */
function detectDelimiter(text: string): string {
  const scores = delimiters.map((delimiter) => {
    const widths = new Map<number, number>();
    const count = ({ length }: string[]) => {
      if (length > 1) widths.set(length, (widths.get(length) ?? 0) + 1);
    };
    try {
      parseRecords(text.slice(0, sample.characters), { delimiter, to: sample.rows }, count);
    } catch (error) {
      // The sample may end inside quotation marks. The rows before that were counted.
      if (!(error instanceof CsvError)) throw error;
    }
    return largest([0, ...[...widths].map(([width, rows]) => rows + width / 1_000)]);
  });
  return delimiters[scores.indexOf(largest(scores))] ?? ',';
}

const rowOf = (record: string[]): Row =>
  record
    .map((value, column) => ({ column, text: singleLine(value), isText: !isValue(value) }))
    .filter(({ text }) => text !== '');

/** Numbers, dates and amounts with a unit. `Q1` is not a value but a name. */
const isValue = (text: string) => /^[^\p{L}]*\d[^\p{L}]*(?:\p{L}{1,3}\.?)?$/u.test(text);

function damaged(name: string, { code, message, lines }: CsvError & { lines?: unknown }) {
  const where = typeof lines === 'number' ? ` near line ${lines}` : '';
  const problem =
    code === 'CSV_QUOTE_NOT_CLOSED'
      ? 'a quotation mark is opened and never closed'
      : code === 'CSV_MAX_RECORD_SIZE'
        ? 'a row is longer than a million characters'
        : message;
  return fileProblem('file_unreadable', name, `${problem}${where}. Correct it and add the file again.`);
}
