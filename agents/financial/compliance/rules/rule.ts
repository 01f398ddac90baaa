import type { ComplianceLimits, Finding } from '../finding.ts';
import type { Place } from '../data/places.ts';
import type { Field } from '../data/columns.ts';
import type { Ledger, Transaction } from '../transactions.ts';

/** What the rules read. */
export type Checked = {
  ledger: Ledger;
  place: Place | undefined;
  limits: ComplianceLimits;
  /** `sales`: invoices of one's own, whose numbers have no gaps. */
  direction: 'purchases' | 'sales';
  /** Fields that the request asks for in every row. */
  required: readonly Field[];
  today: string;
  period: { from?: string | undefined; to?: string | undefined };
};
/** Yields what it finds, and `undefined` after each `rowsAtOnce` rows: other work of the process goes on there. */
export type Rule = (checked: Checked) => Iterable<Finding | undefined>;
export const rowsAtOnce = 2_000;

/** Rows that fit. */
export function* rowsWith(
  transactions: readonly Transaction[],
  fits: (one: Transaction) => boolean,
): Generator<undefined, Transaction[]> {
  const rows: Transaction[] = [];
  for (const [at, one] of transactions.entries()) {
    if (at % rowsAtOnce === rowsAtOnce - 1) yield undefined;
    if (fits(one)) rows.push(one);
  }
  return rows;
}

/** Groups that have two members or more. Rows without a key are in none. */
export function* groupsBy(
  transactions: readonly Transaction[],
  keyOf: (one: Transaction) => string | undefined,
): Generator<undefined, Transaction[][]> {
  const groups = new Map<string, Transaction[]>();
  for (const [at, one] of transactions.entries()) {
    if (at % rowsAtOnce === rowsAtOnce - 1) yield undefined;
    const key = keyOf(one);
    if (key === undefined) continue;
    const group = groups.get(key);
    if (group) group.push(one);
    else groups.set(key, [one]);
  }
  return [...groups.values()].filter(({ length }) => length > 1);
}

/** Whether amounts of a row may be compared with those of a place. Rows without a currency are in its own. */
export const isIn = (
  currency: string,
  { currency: own }: Pick<Transaction, 'currency'>,
  usual: string | undefined,
): boolean =>
  own === '' ? usual === undefined || usual === currency : own === currency || (own === '$' && currency.endsWith('D'));

export const shownSum = (value: { toFixed(digits: number): string }): string => value.toFixed(2);
