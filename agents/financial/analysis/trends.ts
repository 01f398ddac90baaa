import { Decimal } from 'decimal.js';
import { itemOf } from './dictionary.ts';
import { isMissing, previousOf, type Figure, type Figures, type Input } from './figures.ts';
import { periodsPerYear, type Period } from './periods.ts';

const followed = [
  'revenue',
  'grossProfit',
  'ebitda',
  'operatingIncome',
  'netIncome',
  'operatingCashFlow',
  'cash',
  'totalAssets',
  'equity',
];

/** `kind`: since the period before, since the same period a year before, or a year on average (CAGR). */
export type Trend = {
  key: string;
  name: string;
  kind: 'previous' | 'year' | 'cagr';
  from: string;
  to: string;
  value: Decimal;
  formula: string;
  calculation: string;
  inputs: Input[];
};
export type NoTrend = { name: string; periods: string[]; reason: string };

/** How the main lines grow. From zero or a loss there is no growth in percent. */
export function trendsOf(figures: Figures, periods: readonly Period[]): { trends: Trend[]; notComputed: NoTrend[] } {
  const trends: Trend[] = [];
  const notComputed: NoTrend[] = [];
  const add = (key: string, kind: Trend['kind'], from: Period | undefined, to: Period) => {
    const [start, end] = [from && figures.figureOf(key, from), figures.figureOf(key, to)];
    if (!from || !start || isMissing(start) || isMissing(end)) return;
    const years = kind === 'cagr' ? (to.last - from.last) / 12 : 1;
    const name = itemOf(key).name;
    if (!start.value.isPositive() || start.value.isZero() || (kind === 'cagr' && end.value.isNegative())) {
      const reason =
        kind === 'cagr' && start.value.gt(0) ? `it is negative in ${to.id}` : `it is not positive in ${from.id}`;
      notComputed.push({ name: `${kind === 'cagr' ? 'CAGR' : 'growth'} of ${name}`, periods: [to.id], reason });
      return;
    }
    trends.push({ key, name, kind, from: from.id, to: to.id, ...growth(start, end, years) });
  };
  for (const key of followed) {
    for (const period of periods) {
      add(key, 'previous', previousOf(periods, period), period);
      if (period.kind !== 'year') add(key, 'year', previousOf(periods, period, periodsPerYear[period.kind]), period);
    }
    const years = periods.filter((one) => one.kind === 'year' && !isMissing(figures.figureOf(key, one)));
    const [first, last] = [years[0], years.at(-1)];
    if (first && last && last.last - first.last >= 24) add(key, 'cagr', first, last);
  }
  return { trends, notComputed };
}

function growth(start: Figure, end: Figure, years: number) {
  const quotient = end.value.div(start.value);
  return {
    value: (years === 1 ? quotient : quotient.pow(new Decimal(1).div(years))).minus(1),
    formula: years === 1 ? 'end ÷ start − 1' : `(end ÷ start)^(1 ÷ ${years}) − 1`,
    calculation:
      years === 1 ? `(${end.sum}) ÷ (${start.sum}) − 1` : `((${end.sum}) ÷ (${start.sum}))^(1 ÷ ${years}) − 1`,
    inputs: [...start.inputs, ...end.inputs],
  };
}
