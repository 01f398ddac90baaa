import type { Transaction } from '../transactions.ts';
import { rowsAtOnce, type Rule } from './rule.ts';

/** So many numbers in a row may be missing; a larger step is another series. */
const largestGap = 20;

/** Numbers that are missing between one's own invoices. */
export const findNumberGaps: Rule = function* ({ ledger, direction }) {
  if (direction !== 'sales') return;
  const series = new Map<string, Map<bigint, Transaction>>();
  for (const [at, one] of ledger.transactions.entries()) {
    if (at % rowsAtOnce === rowsAtOnce - 1) yield undefined;
    const [, prefix = '', digits] = /^(.*?)(\d{1,18})$/.exec(one.invoice.trim()) ?? [];
    if (digits === undefined) continue;
    const own = series.get(prefix) ?? new Map<bigint, Transaction>();
    own.set(BigInt(digits), one);
    series.set(prefix, own);
  }
  for (const [prefix, own] of series) {
    const numbers = [...own.keys()].sort((a, b) => (a < b ? -1 : 1));
    if (numbers.length < 3) continue;
    for (const [at, number] of numbers.entries()) {
      const before = numbers[at - 1];
      if (before === undefined || number - before <= 1n || number - before > BigInt(largestGap)) continue;
      const first = before + 1n;
      const last = number - 1n;
      const missing = `${prefix}${first}${last > first ? ` to ${prefix}${last}` : ''}`;
      yield {
        rule: 'number-gap',
        severity: 'medium',
        finding: `no invoice ${missing}`,
        action: 'Find the invoice, or note why the number was not used: numbers of invoices go on without gaps.',
        rows: [own.get(before), own.get(number)].filter((one) => one !== undefined),
        shows: ['date', 'customer', 'invoice', 'gross'],
      };
    }
  }
};
