import type { Decimal } from 'decimal.js';
import type { Table } from '../tables/cells.ts';
import type { Field } from './data/columns.ts';

/** A row as the rules read it. An absent field is empty, or could not be read. */
export type Transaction = {
  /** Its table, as an index of `Ledger.tables`, and its row in the file. */
  table: number;
  row: number;
  date?: string;
  /** Who was paid, or who paid: the supplier, else the customer. In the form in which names are compared. */
  party: string;
  invoice: string;
  /** With tax: given, or net and tax together. */
  amount?: Decimal;
  net?: Decimal;
  tax?: Decimal;
  gross?: Decimal;
  /** In percent. */
  taxRate?: Decimal;
  currency: string;
  isCash: boolean;
};

export type LedgerTable = {
  table: Table;
  /** The position of each row's number in `table.rows`. */
  byRow: ReadonlyMap<number, number>;
  columns: ReadonlyMap<Field, number>;
};

/** Transactions with the tables that they come from. */
export type Ledger = {
  tables: readonly LedgerTable[];
  transactions: readonly Transaction[];
  /** Cells in place of an amount or a day that are none. */
  unreadable: { table: number; row: number; field: Field }[];
  notes: string[];
};

/** What a cell of a transaction shows. */
export function cellText({ tables }: Ledger, { table, row }: Pick<Transaction, 'table' | 'row'>, field: Field): string {
  const own = tables[table];
  const column = own?.columns.get(field);
  const at = own?.byRow.get(row);
  return column === undefined || at === undefined ? '' : (own?.table.rows[at]?.texts[column] ?? '');
}
