import { CsvError, parse, type Info } from 'csv-parse';
import { Readable } from 'node:stream';
import { mostCustom, type ContactLine } from '../../contract/contacts.ts';
import { InvalidRequest } from '../../contract/errors.ts';
import { columnProblem } from '../../contract/rules/contacts/contact-fields.ts';
import { plainCell } from '../../contract/rules/contacts/neutral-cell.ts';

/** A longer row means that a closing quotation mark is missing. */
const longestRow = 100_000;
const delimiters = [',', ';', '\t', '|'];

/** What stands before the lines of a file: the names of its columns. */
export type ReadItem = { columns: string[] } | ContactLine;

/**
 * Reads rows of values that commas, semicolons, tabs or bars separate. The first row names the columns. A row with more
 * values than columns is a line with a fault.
 *
 * @throws InvalidRequest for a header that cannot be used, and for quotation marks that are not closed
 */
export async function* readCsvContacts(texts: AsyncIterable<string>): AsyncGenerator<ReadItem> {
  const { head, rest } = await takeFirstLine(texts);
  const parser = parse({
    delimiter: head.delimiter,
    bom: true,
    info: true,
    relax_column_count: true,
    relax_quotes: true,
    skip_empty_lines: true,
    max_record_size: longestRow,
    ltrim: head.delimiter !== '\t',
  });
  Readable.from(rest)
    .on('error', (error) => parser.destroy(error))
    .pipe(parser);
  let columns: string[] | undefined;
  // The parser counts a line break of Windows inside quotation marks as two.
  let countedTwice = 0;
  try {
    for await (const { record, info } of parser as AsyncIterable<{ record: string[]; info: Info }>) {
      if (columns === undefined) {
        columns = headerOf(record);
        yield { columns };
        continue;
      }
      const breaks = record.map((value) => value.match(/[\r\n]/g)?.length ?? 0);
      yield lineOf(columns, record, info.lines - sum(breaks) - countedTwice + head.skippedLines);
      countedTwice += sum(record.map((value) => value.split('\r\n').length - 1));
    }
  } catch (error) {
    throw error instanceof CsvError ? damaged(error, head.skippedLines) : error;
  }
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);

/** @throws InvalidRequest */
function headerOf(record: string[]): string[] {
  const columns = record.map((name) => plainCell(name).trim());
  // Programs end rows with a delimiter.
  while (columns.at(-1) === '') columns.pop();
  const empty = columns.indexOf('');
  const problem = empty === -1 ? columnProblem(columns, mostCustom) : `the column ${empty + 1} has no name`;
  if (problem !== undefined) throw new InvalidRequest([{ path: 'columns', message: problem }]);
  return columns;
}

function lineOf(columns: string[], record: string[], line: number): ContactLine {
  const given = columns.map((column, n): [string, string] => [column, record[n] ?? '']);
  const fields = Object.fromEntries(given.filter(([, value]) => value !== ''));
  const further = record.slice(columns.length).some((value) => value.trim() !== '');
  if (!further) return { line, fields };
  return {
    line,
    fields,
    fault: `has ${record.length} values, and there are ${columns.length} columns. A value with the separator in it needs quotation marks`,
  };
}

type Head = { delimiter: string; skippedLines: number };

/** Finds the separator in the first line. Excel names it in a line of its own, `sep=;`. */
async function takeFirstLine(texts: AsyncIterable<string>): Promise<{ head: Head; rest: AsyncIterable<string> }> {
  const iterator = texts[Symbol.asyncIterator]();
  let text = '';
  let isDone = false;
  while (!isDone && !/\n[^]*\n/.test(text) && text.length < longestRow) {
    const next = await iterator.next();
    isDone = next.done === true;
    text += isDone ? '' : (next.value as string);
  }
  const named = /^\uFEFF?sep=(.)\r?\n/i.exec(text);
  const head = { delimiter: named?.[1] ?? delimiterOf(text), skippedLines: named ? 1 : 0 };
  const first = named ? text.slice(named[0].length) : text;
  return {
    head,
    rest: (async function* () {
      yield first;
      yield* { [Symbol.asyncIterator]: () => iterator };
    })(),
  };
}

function delimiterOf(text: string): string {
  const [line = ''] = text.replaceAll(/"[^"]*"/g, '').split(/\r?\n/, 1);
  const counts = delimiters.map((delimiter) => line.split(delimiter).length);
  return delimiters[counts.indexOf(Math.max(...counts))] ?? ',';
}

function damaged(error: CsvError & { lines?: unknown }, skippedLines: number): InvalidRequest {
  const where = typeof error.lines === 'number' ? ` near line ${error.lines + skippedLines}` : '';
  const what =
    error.code === 'CSV_QUOTE_NOT_CLOSED' || error.code === 'CSV_MAX_RECORD_SIZE'
      ? 'a quotation mark is opened and never closed'
      : 'a row could not be read';
  return new InvalidRequest([{ path: '', message: `${what}${where}. Correct it and send the file again` }]);
}
