import { Decimal } from 'decimal.js';
import type { Finding } from '../finding.ts';
import type { Place, Rates } from '../data/places.ts';
import { taxIdFault } from '../tax-ids.ts';
import { cellText, type Transaction } from '../transactions.ts';
import { isIn, rowsAtOnce, shownSum, type Checked, type Rule } from './rule.ts';

const shows = ['date', 'supplier', 'customer', 'invoice', 'net', 'taxRate', 'tax', 'gross'] as const;
/** A rate that people write with two digits. */
const rateTolerance = new Decimal('0.01');

/** Taxes that are not rate × net, totals that are not net + tax, and rates that the place does not have. */
export const findWrongTaxes: Rule = function* ({ ledger, place, limits }) {
  const tolerance = new Decimal(limits.taxTolerance);
  const unknown: { one: Transaction; rates: Rates }[] = [];
  for (const [at, one] of ledger.transactions.entries()) {
    if (at % rowsAtOnce === rowsAtOnce - 1) yield undefined;
    const { tax, taxRate, gross } = one;
    const net = one.net ?? (gross && tax ? gross.minus(tax) : undefined);
    if (net && tax && taxRate) {
      const expected = net.times(taxRate).div(100);
      if (expected.minus(tax).abs().gt(tolerance))
        yield wrong(
          'tax-amount',
          one,
          `tax ${shownSum(tax)} is not ${taxRate.toString()} % of ${shownSum(net)} = ${shownSum(expected)}; difference ${shownSum(tax.minus(expected))}`,
        );
    }
    if (one.net && tax && gross && one.net.plus(tax).minus(gross).abs().gt(tolerance))
      yield wrong(
        'gross-amount',
        one,
        `${shownSum(gross)} is not net ${shownSum(one.net)} + tax ${shownSum(tax)} = ${shownSum(one.net.plus(tax))}`,
      );
    const rates = place && ratesOn(place, one);
    const rate = taxRate ?? (net && tax && !net.isZero() ? tax.div(net).times(100) : undefined);
    if (rates && rate && !isKnown(rate, rates, one, taxRate !== undefined)) unknown.push({ one, rates });
  }
  const bySource = Map.groupBy(unknown, ({ rates }) => rates);
  for (const [rates, rows] of bySource)
    yield {
      rule: 'tax-rate',
      severity: 'medium',
      finding: `${rows.length} row(s) have a rate that ${place?.name ?? ''} does not have from ${rates.since} on (it has ${rates.percents.join(', ')} %)`,
      action: 'See whether the tax is of another country or another time, and correct it.',
      rows: rows.map(({ one }) => one),
      shows,
      source: rates.source,
    };
};

const wrong = (rule: string, one: Transaction, finding: string): Finding => ({
  rule,
  severity: 'high',
  finding,
  action: 'Have the invoice corrected before input tax is claimed.',
  rows: [one],
  shows,
});

/** The rates of the place on the day of a row in its currency. */
function ratesOn({ rates, currency }: Place, one: Transaction): Rates | undefined {
  if (one.date === undefined || !isIn(currency, one, currency)) return undefined;
  const { date } = one;
  return rates.findLast(({ since }) => since <= date);
}

/** A rate that was worked out from amounts is as exact as these are. */
function isKnown(rate: Decimal, { percents }: Rates, { net, gross, tax }: Transaction, isGiven: boolean): boolean {
  const base = net ?? (gross && tax ? gross.minus(tax) : new Decimal(0));
  const tolerance =
    isGiven || base.isZero() ? rateTolerance : Decimal.max(rateTolerance, new Decimal(2).div(base.abs()));
  return percents.some((percent) => rate.minus(percent).abs().lte(tolerance));
}

/** Tax numbers whose form or check digits are wrong. */
export const findWrongTaxIds: Rule = function* ({ ledger, place }: Checked) {
  for (const field of ['supplierTaxId', 'customerTaxId'] as const) {
    const faults = new Map<string, Transaction[]>();
    const known = new Map<string, string | undefined>();
    for (const [at, one] of ledger.transactions.entries()) {
      if (at % rowsAtOnce === rowsAtOnce - 1) yield undefined;
      const text = cellText(ledger, one, field);
      if (text === '') continue;
      if (!known.has(text)) known.set(text, taxIdFault(text, place?.taxIds));
      const fault = known.get(text);
      if (fault === undefined) continue;
      const key = `${text} (${fault})`;
      const rows = faults.get(key);
      if (rows) rows.push(one);
      else faults.set(key, [one]);
    }
    for (const [fault, rows] of faults)
      yield {
        rule: 'tax-number',
        severity: 'medium',
        finding: `tax number ${fault}`,
        action: 'Ask the supplier for the number, and look it up at the tax office (in the EU: VIES).',
        rows,
        shows: ['supplier', 'customer', 'invoice', field],
      };
  }
};
