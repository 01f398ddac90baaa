import { Decimal } from 'decimal.js';
import { AlfredError } from '../../../contract/errors.ts';
import { addressOf, type Table } from '../tables/cells.ts';
import { findDateOrder, readDay, type DateOrder } from '../tables/dates.ts';
import { partyName, plainName, wholeName } from '../tables/names.ts';
import {
  currencyCode,
  findNumberStyle,
  isEmptyCell,
  toAmount,
  writtenAmount,
  type DecimalMark,
} from '../tables/numbers.ts';
import { cashWords, columnNames, fields, totalWords, type Field } from './data/columns.ts';
import type { Ledger, LedgerTable, Transaction } from './transactions.ts';

export type TransactionOptions = {
  /** Names of columns that the dictionary does not have. */
  columns?: Partial<Record<Field, string>> | undefined;
  decimalMark?: DecimalMark | undefined;
  dateOrder?: DateOrder | undefined;
  /** The order that is usual where the transactions are from. */
  usualOrder?: DateOrder | undefined;
};

/** Of all tables together. */
export const maxTransactions = 100_000;
const headerRows = 30;
/** Read in a few milliseconds, between which the process does other work. */
const rowsAtOnce = 1_000;
const amounts: readonly Field[] = ['gross', 'net', 'tax', 'taxRate', 'debit', 'credit'];
const byName = new Map(
  fields.flatMap((field) => columnNames[field].flatMap((name) => [[wholeName(name), field] as const])),
);

/**
 * @param pause lets other work of the process go on
 * @throws AlfredError `invalid_request` when no columns are known, or figures can be read in two ways
 */
export async function readTransactions(
  tables: readonly Table[],
  options: TransactionOptions,
  pause: () => Promise<void>,
): Promise<Ledger> {
  const count = tables.reduce((sum, { rows }) => sum + rows.length, 0);
  if (count > maxTransactions + headerRows)
    throw new AlfredError(
      'invalid_request',
      `There are ${count} rows, and one check takes ${maxTransactions}. Send them in parts, as one for each month.`,
    );
  const notes: string[] = [];
  const ledgerTables: LedgerTable[] = [];
  const transactions: Transaction[] = [];
  const unreadable: Ledger['unreadable'] = [];
  for (const table of tables) {
    const header = findHeader(table, options);
    if (!header) {
      notes.push(`${table.name} has no known columns, and was left out.`);
      continue;
    }
    const rows = table.rows.slice(header.at + 1);
    const style = styleOf({ table, rows, columns: header.columns, notes }, options);
    const index = ledgerTables.length;
    ledgerTables.push({ table, byRow: new Map(table.rows.map(({ row }, at) => [row, at])), columns: header.columns });
    if (header.unknown.length > 0)
      notes.push(`${table.name}: columns that no rule reads: ${header.unknown.slice(0, 20).join(', ')}.`);
    let totals = 0;
    for (const [at, row] of rows.entries()) {
      if (at % rowsAtOnce === 0) await pause();
      if (totalWords.has(plainName(row.texts.find((text) => text !== '') ?? ''))) totals++;
      else transactions.push(transactionOf({ index, row, columns: header.columns, style, unreadable }));
    }
    if (totals > 0) notes.push(`${table.name}: ${totals} row(s) of totals were left out.`);
  }
  if (ledgerTables.length === 0) throw unknownColumns(tables);
  return { tables: ledgerTables, transactions, unreadable, notes };
}

const unknownColumns = (tables: readonly Table[]) =>
  new AlfredError(
    'invalid_request',
    `No columns of transactions were found in ${tables.map(({ name }) => name).join(', ')} (its first row: ${(tables[0]?.rows[0]?.texts ?? []).filter(Boolean).slice(0, 12).join(', ')}). Name the columns like Date, Supplier, Invoice number, Net, VAT rate, VAT, Gross, Payment method, or say which is which in \`columns\`: {"gross": "your name"}.`,
  );

type Header = { at: number; columns: Map<Field, number>; unknown: string[] };

/** The first row in which at least two columns have known names, one of them an amount or a day. */
function findHeader(table: Table, { columns: named = {} }: TransactionOptions): Header | undefined {
  const own = new Map(Object.entries(named).map(([field, name]) => [wholeName(name), field as Field]));
  for (const [at, { texts }] of table.rows.slice(0, headerRows).entries()) {
    const columns = new Map<Field, number>();
    const unknown: string[] = [];
    for (const [column, text] of texts.entries()) {
      if (text === '') continue;
      const field = own.get(wholeName(text)) ?? byName.get(wholeName(text)) ?? byName.get(plainName(text));
      if (field && (!columns.has(field) || own.has(wholeName(text)))) columns.set(field, column);
      else unknown.push(text);
    }
    if (columns.size < 2 || !(['date', ...amounts] as Field[]).some((field) => columns.has(field))) continue;
    const missing = Object.values(named).find((name) => !texts.some((text) => wholeName(text) === wholeName(name)));
    if (missing === undefined) return { at, columns, unknown };
    throw new AlfredError(
      'invalid_request',
      `${table.name} has no column "${missing}". It has: ${texts.filter(Boolean).join(', ')}.`,
    );
  }
  return undefined;
}

type Rows = Table['rows'];
type Style = { mark: DecimalMark; order: DateOrder };

type Sampled = { table: Table; rows: Rows; columns: Header['columns']; notes: string[] };

function styleOf({ table, rows, columns, notes }: Sampled, options: TransactionOptions): Style {
  const cells = function* (wanted: readonly Field[]) {
    for (const field of wanted) {
      const column = columns.get(field);
      if (column === undefined) continue;
      for (const { row, texts, values } of rows)
        if (texts[column] && (values?.[column] ?? null) === null)
          yield { text: texts[column], where: addressOf(row, column) };
    }
  };
  const samples = function* () {
    for (const { text, where } of cells(amounts)) {
      const core = writtenAmount(text)?.core;
      if (core !== undefined) yield { core, where };
    }
  };
  const style = options.decimalMark ? { mark: options.decimalMark } : findNumberStyle(table.name, samples());
  if ('note' in style && style.note) notes.push(style.note);
  return {
    mark: style.mark,
    order: options.dateOrder ?? findDateOrder(table.name, cells(['date']), options.usualOrder),
  };
}

type Reading = {
  index: number;
  row: Rows[number];
  columns: Header['columns'];
  style: Style;
  unreadable: Ledger['unreadable'];
};

function transactionOf({ index, row, columns, style, unreadable }: Reading): Transaction {
  const textOf = (field: Field) => row.texts[columns.get(field) ?? -1]?.trim() ?? '';
  const amountOf = (field: Field) => {
    const column = columns.get(field) ?? -1;
    const text = textOf(field);
    const stored = row.values?.[column] ?? null;
    if (isEmptyCell(text)) return undefined;
    const written = stored === null ? writtenAmount(text) : undefined;
    const amount =
      stored === null
        ? written && toAmount(written, style.mark)
        : { value: new Decimal(stored), isPercent: text.endsWith('%'), currency: undefined };
    if (!amount) unreadable.push({ table: index, row: row.row, field });
    return amount;
  };
  const dateText = textOf('date');
  const date = isEmptyCell(dateText) ? undefined : readDay(dateText, style.order);
  if (!isEmptyCell(dateText) && date === undefined) unreadable.push({ table: index, row: row.row, field: 'date' });
  const read = {
    gross: amountOf('gross'),
    net: amountOf('net'),
    tax: amountOf('tax'),
    rate: amountOf('taxRate'),
    debit: amountOf('debit'),
    credit: amountOf('credit'),
  };
  const [net, tax, gross] = [read.net?.value, read.tax?.value, read.gross?.value];
  const moved = read.debit?.value ?? read.credit?.value;
  const amount = gross ?? (net && tax ? net.plus(tax) : (net ?? moved));
  const rate = read.rate && (read.rate.isPercent ? read.rate.value.times(100) : percentOf(read.rate.value));
  const currency = textOf('currency') || read.gross?.currency || read.net?.currency || '';
  return {
    table: index,
    row: row.row,
    ...(date !== undefined && { date }),
    party: partyName(textOf('supplier') || textOf('customer')),
    invoice: textOf('invoice'),
    ...(amount && { amount }),
    ...(net && { net }),
    ...(tax && { tax }),
    ...(gross && { gross }),
    ...(rate && { taxRate: rate }),
    currency: currencyCode(currency).toUpperCase(),
    isCash: cashWords.has(plainName(textOf('method'))),
  };
}

/** 0.19 and 19 are the same rate. */
const percentOf = (rate: Decimal) => (rate.gt(0) && rate.lt(1) && !rate.equals('0.25') ? rate.times(100) : rate);
