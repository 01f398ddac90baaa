import type { Finding } from '../finding.ts';
import { dayNumber } from '../days.ts';
import { cellText, type Transaction } from '../transactions.ts';
import { groupsBy, rowsAtOnce, shownSum, type Checked, type Rule } from './rule.ts';

/** No two of its ways match one text: else a row of `#` would be searched without end. */
const prefixes = /^\s*(?:(?:INVOICE|INV|RECHNUNG|RE|RG|FACTURE|FACTURA|FAC|NR|NO|N°|#)[\s.:-]*)+(?=.*\d)/;

/** An invoice number as people mean it: without punctuation, prefixes and leading zeros; O is 0, I and L are 1. */
export function plainInvoice(text: string): string {
  const upper = text.toUpperCase();
  // A longer text is none, and would be searched for long.
  const plain = (upper.length > 100 ? upper : upper.replace(prefixes, ''))
    .replace(/[^A-Z0-9]/g, '')
    .replaceAll('O', '0')
    .replace(/[IL]/g, '1');
  return plain.replace(/^0+(?=.)/, '');
}

const shows = ['date', 'supplier', 'customer', 'invoice', 'gross', 'net'] as const;

/** Rows that are one and the same invoice or payment, or may be. */
export const findDuplicates: Rule = function* (checked) {
  const { transactions } = checked.ledger;
  const known = new Set<Transaction>();
  const remember = (rows: readonly Transaction[]) => rows.forEach((row) => known.add(row));
  for (const rows of yield* groupsBy(transactions, (one) => exactKey(checked, one))) {
    remember(rows);
    yield duplicate(
      'duplicate-exact',
      'high',
      rows,
      `${rows.length} rows have the same date, party, invoice number and amount`,
    );
  }
  for (const rows of yield* groupsBy(transactions, invoiceKey)) {
    if (rows.every((row) => known.has(row))) continue;
    const written = new Set(rows.map(({ invoice }) => invoice));
    const sums = new Set(rows.map(({ amount }) => amount?.toFixed(2)));
    const isReversal =
      rows.some(({ amount }) => amount?.isNegative()) && rows.some(({ amount }) => amount?.isPositive());
    if (isReversal) continue;
    remember(rows);
    yield duplicate(
      'duplicate-invoice',
      sums.size === 1 ? 'high' : 'medium',
      rows,
      written.size > 1
        ? `one invoice number of one party in ${written.size} spellings: ${[...written].slice(0, 5).join(', ')}`
        : `${rows.length} rows have the invoice number ${rows[0]?.invoice} of one party${sums.size > 1 ? ', with different amounts' : ''}`,
    );
  }
  for (const group of yield* groupsBy(transactions, amountKey)) yield* near(checked, group, known);
};

function exactKey({ ledger }: Checked, one: Transaction): string | undefined {
  if (!one.date || !one.amount || one.party === '') return undefined;
  // Without a number, only what the rows say else can show that they are two.
  const rest = one.invoice === '' ? cellText(ledger, one, 'description') : one.invoice;
  return JSON.stringify([one.date, one.party, rest, one.amount.toFixed(4), one.currency]);
}

function invoiceKey({ party, invoice }: Transaction): string | undefined {
  const plain = plainInvoice(invoice);
  return party === '' || plain.length < 3 || !/\d/.test(plain) ? undefined : JSON.stringify([party, plain]);
}

const amountKey = ({ party, amount, currency, date }: Transaction): string | undefined =>
  party === '' || !amount || amount.isZero() || !date
    ? undefined
    : JSON.stringify([party, amount.toFixed(4), currency]);

/** The same amount of the same party within a few days, unless it comes at regular intervals. */
function* near(
  { limits }: Checked,
  group: readonly Transaction[],
  known: ReadonlySet<Transaction>,
): Iterable<Finding | undefined> {
  const sorted = [...group].sort((a, b) =>
    (a.date ?? '') < (b.date ?? '') ? -1 : (a.date ?? '') > (b.date ?? '') ? 1 : 0,
  );
  const days = sorted.map(({ date = '' }) => dayNumber(date));
  if (isRegular(days)) return;
  let run: Transaction[] = [];
  const ended = (): Finding[] =>
    run.length > 1 && !run.every((row) => known.has(row))
      ? [
          duplicate(
            'duplicate-near',
            'medium',
            run,
            `${run.length} payments of ${shownSum(run[0]?.amount ?? { toFixed: () => '' })} to or from one party within ${limits.duplicateDays} days`,
          ),
        ]
      : [];
  for (const [at, row] of sorted.entries()) {
    if (at % rowsAtOnce === rowsAtOnce - 1) yield undefined;
    const gap = at === 0 ? 0 : (days[at] ?? 0) - (days[at - 1] ?? 0);
    if (gap > limits.duplicateDays) {
      yield* ended();
      run = [];
    }
    run.push(row);
  }
  yield* ended();
}

/** Three payments or more with nearly the same number of days between them, as of a subscription. */
function isRegular(days: readonly number[]): boolean {
  let [least, most] = [Infinity, -Infinity];
  for (const [at, day] of days.slice(1).entries()) {
    const gap = day - (days[at] ?? 0);
    [least, most] = [Math.min(least, gap), Math.max(most, gap)];
  }
  return days.length >= 3 && least >= 1 && most - least <= 3;
}

const duplicate = (
  rule: string,
  severity: Finding['severity'],
  rows: readonly Transaction[],
  finding: string,
): Finding => ({
  rule,
  severity,
  finding,
  action: 'Compare the documents. If they are one, take one booking back, and claim back what was paid twice.',
  rows,
  shows,
});
