import { Decimal } from 'decimal.js';
import type { Finding } from '../finding.ts';
import type { CashLimit } from '../data/places.ts';
import { dayNumber } from '../days.ts';
import { cellText, type Transaction } from '../transactions.ts';
import { isIn, rowsAtOnce, rowsWith, shownSum, type Rule } from './rule.ts';

const shows = [
  'date',
  'supplier',
  'customer',
  'invoice',
  'gross',
  'net',
  'debit',
  'credit',
  'method',
  'approvedBy',
] as const;

const sizeOf = ({ amount }: Transaction): Decimal => amount?.abs() ?? new Decimal(0);

/** Payments in cash from a limit on, and several below it that reach it together. */
export const findCash: Rule = function* ({ ledger, place, limits }) {
  const { currency = '' } = place ?? {};
  const own: CashLimit[] =
    limits.cashLimit === undefined
      ? []
      : [
          {
            amount: String(limits.cashLimit),
            currency,
            from: true,
            duty: 'the request names this limit',
            source: { law: 'the request', asOf: '' },
          },
        ];
  const cash = yield* rowsWith(ledger.transactions, ({ isCash, amount }) => isCash && amount !== undefined);
  for (const limit of own.length > 0 ? own : (place?.cash ?? [])) {
    const most = new Decimal(limit.amount);
    const reaches = (value: Decimal) => (limit.from ? value.gte(most) : value.gt(most));
    const inCurrency = yield* rowsWith(cash, (one) => isIn(limit.currency, one, place?.currency));
    const shown = `${limit.amount} ${limit.currency}`.trim();
    const cites = limit.source.asOf === '' ? {} : { source: limit.source };
    const above = yield* rowsWith(inCurrency, (one) => reaches(sizeOf(one)));
    if (above.length > 0)
      yield {
        rule: 'cash-limit',
        severity: 'high',
        finding: `${above.length} payment(s) in cash ${limit.from ? 'of at least' : 'above'} ${shown}`,
        action: `Check the duty: ${limit.duty}.`,
        rows: above,
        shows,
        ...cites,
      };
    const below = yield* rowsWith(inCurrency, (one) => !reaches(sizeOf(one)));
    // A small limit is passed by many small payments of a day; only those of one day count together there.
    const days = place?.currency === 'INR' ? 0 : limits.splitDays;
    for (const rows of splits(below, { most, days, least: most.times(0.1), reaches }))
      yield (
        rows && {
          rule: 'cash-split',
          severity: 'high',
          finding: `${rows.length} payments in cash to or from one party within ${days + 1} day(s), each below ${shown}, together ${shownSum(sumOf(rows))}`,
          action: `Find out whether they belong together: then the limit counts for their sum. ${capital(limit.duty)}.`,
          rows,
          shows,
          ...cites,
        }
      );
  }
};

/** Payments from a limit on without an approval, a little below it, and several that reach it together. */
export const findApprovals: Rule = function* ({ ledger, limits, place }) {
  const approvals = [...limits.approvalLimits].sort((a, b) => a - b).map((limit) => new Decimal(limit));
  const comparable = yield* rowsWith(
    ledger.transactions,
    (one) => one.amount !== undefined && (!place || isIn(place.currency, one, place.currency)),
  );
  const [lowest] = approvals;
  const hasColumn = (one: Transaction) => ledger.tables[one.table]?.columns.has('approvedBy') === true;
  const open = lowest
    ? yield* rowsWith(
        comparable,
        (one) => sizeOf(one).gte(lowest) && hasColumn(one) && cellText(ledger, one, 'approvedBy') === '',
      )
    : [];
  if (open.length > 0)
    yield {
      rule: 'approval-missing',
      severity: 'high',
      finding: `${open.length} payment(s) of at least ${lowest?.toString()} without an approval`,
      action: 'Have them approved, or find out who paid them.',
      rows: open,
      shows,
    };
  for (const [at, limit] of approvals.entries()) {
    const floor = approvals[at - 1] ?? new Decimal(0);
    const below = yield* rowsWith(comparable, (one) => sizeOf(one).lt(limit) && sizeOf(one).gte(floor));
    const near = yield* rowsWith(below, (one) => sizeOf(one).gte(limit.times(1 - limits.nearShare)));
    if (near.length > 0)
      yield {
        rule: 'just-below-limit',
        severity: near.length > 2 ? 'medium' : 'low',
        finding: `${near.length} payment(s) at most ${limits.nearShare * 100} % below the limit of ${limit.toString()}`,
        action: 'See whether the amount was chosen to need no approval.',
        rows: near,
        shows,
      };
    const options = {
      most: limit,
      days: limits.splitDays,
      least: limit.times(limits.splitShare),
      reaches: (value: Decimal) => value.gte(limit),
    };
    for (const rows of splits(below, options))
      yield (
        rows && {
          rule: 'split-payment',
          severity: 'medium',
          finding: `${rows.length} payments to or from one party within ${limits.splitDays + 1} days, each below the limit of ${limit.toString()}, together ${shownSum(sumOf(rows))}`,
          action: 'Compare the orders: a purchase that was split needs the approval of its sum.',
          rows,
          shows,
        }
      );
  }
};

type SplitOptions = { most: Decimal; days: number; least: Decimal; reaches: (value: Decimal) => boolean };

/** Payments of one party within some days that reach a limit together. Each payment stands in one group. */
function* splits(
  below: readonly Transaction[],
  { days, least, reaches }: SplitOptions,
): Iterable<Transaction[] | undefined> {
  const parties = Map.groupBy(
    yield* rowsWith(below, (one) => one.party !== '' && one.date !== undefined && sizeOf(one).gte(least)),
    ({ party, currency, amount }) => `${party}\n${currency}\n${amount?.isNegative()}`,
  );
  for (const payments of parties.values()) {
    const sorted = payments.map((payment) => ({ payment, day: dayNumber(payment.date ?? '') }));
    sorted.sort((a, b) => a.day - b.day);
    // The payments from `start` on may belong together; `sum` is theirs.
    let start = 0;
    let sum = new Decimal(0);
    for (const [at, { payment, day }] of sorted.entries()) {
      if (at % rowsAtOnce === rowsAtOnce - 1) yield undefined;
      for (let first = sorted[start]; first && day - first.day > days; first = sorted[++start])
        sum = sum.minus(sizeOf(first.payment));
      sum = sum.plus(sizeOf(payment));
      const next = sorted[at + 1];
      const isLast = !next || next.day - (sorted[start]?.day ?? 0) > days;
      if (!isLast || at === start || !reaches(sum)) continue;
      yield sorted.slice(start, at + 1).map((one) => one.payment);
      start = at + 1;
      sum = new Decimal(0);
    }
  }
}

const sumOf = (rows: readonly Transaction[]): Decimal =>
  rows.reduce((sum, one) => sum.plus(sizeOf(one)), new Decimal(0));
const capital = (text: string) => `${text.charAt(0).toUpperCase()}${text.slice(1)}`;

/** Parties whose amounts are round more often than by chance. */
export const findRoundAmounts: Rule = function* ({ ledger, limits }) {
  const to = new Decimal(limits.roundTo);
  const byParty = Map.groupBy(
    yield* rowsWith(ledger.transactions, ({ party, amount }) => party !== '' && amount !== undefined),
    ({ party }) => party,
  );
  for (const own of byParty.values()) {
    const round = yield* rowsWith(own, (one) => sizeOf(one).gte(to) && sizeOf(one).mod(to).isZero());
    const isRent = new Set(round.map((one) => sizeOf(one).toString())).size === 1;
    if (round.length < limits.roundCount || round.length * 2 < own.length || isRent) continue;
    yield {
      rule: 'round-amounts',
      severity: 'low',
      finding: `${round.length} of ${own.length} amounts of one party are multiples of ${to.toString()}`,
      action: 'Ask for the invoices: amounts of real deliveries are seldom round.',
      rows: round,
      shows,
    } satisfies Finding;
  }
};
