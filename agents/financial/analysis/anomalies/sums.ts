import type { Decimal } from 'decimal.js';
import type { CellNumber } from '../../tables/cells.ts';
import { itemOf } from '../dictionary.ts';
import { previousOf, shownAmount, termsOf } from '../figures.ts';
import type { Period } from '../periods.ts';
import { shownWith, type Anomaly, type Examined } from './anomaly.ts';

/** Equations between lines that are all given. `severity` medium where a line of its own may stand between them. */
const equations: readonly {
  rule: string;
  total: string;
  sum: string;
  severity: Anomaly['severity'];
  unless?: string;
}[] = [
  { rule: 'balance-does-not-balance', total: 'totalAssets', sum: 'totalLiabilities + equity', severity: 'high' },
  { rule: 'balance-does-not-balance', total: 'totalAssets', sum: 'liabilitiesAndEquity', severity: 'high' },
  {
    rule: 'balance-does-not-balance',
    total: 'totalAssets',
    sum: 'currentLiabilities + nonCurrentLiabilities + equity',
    severity: 'medium',
    unless: 'totalLiabilities',
  },
  { rule: 'sum-of-assets', total: 'totalAssets', sum: 'currentAssets + nonCurrentAssets', severity: 'high' },
  {
    rule: 'sum-of-liabilities',
    total: 'totalLiabilities',
    sum: 'currentLiabilities + nonCurrentLiabilities',
    severity: 'high',
  },
  {
    rule: 'sum-of-liabilities-and-equity',
    total: 'liabilitiesAndEquity',
    sum: 'totalLiabilities + equity',
    severity: 'high',
  },
  {
    rule: 'sum-of-liabilities-and-equity',
    total: 'liabilitiesAndEquity',
    sum: 'currentLiabilities + nonCurrentLiabilities + equity',
    severity: 'high',
  },
  { rule: 'gross-profit', total: 'grossProfit', sum: 'revenue - costOfSales', severity: 'high' },
  { rule: 'ebitda', total: 'ebitda', sum: 'operatingIncome + depreciation', severity: 'medium' },
  { rule: 'net-profit', total: 'netIncome', sum: 'profitBeforeTax - incomeTax', severity: 'medium' },
  {
    rule: 'change-in-cash',
    total: 'netChangeInCash',
    sum: 'operatingCashFlow + investingCashFlow + financingCashFlow',
    severity: 'medium',
  },
  { rule: 'closing-cash', total: 'closingCash', sum: 'openingCash + netChangeInCash', severity: 'high' },
  { rule: 'cash-in-both-statements', total: 'cash', sum: 'closingCash', severity: 'medium' },
];

/** Totals that are not the sum of their parts, and cash that does not go on where the period before ended. */
export function findWrongSums({ statements, figures, unit }: Examined): Anomaly[] {
  const found: Anomaly[] = [];
  for (const period of statements.periods) {
    for (const { rule, total, sum, severity, unless } of equations) {
      const whole = figures.given(total, period);
      const parts = termsOf(sum).map((term) => ({ ...term, cell: figures.given(term.key, period) }));
      if (unless !== undefined && figures.given(unless, period)) continue;
      if (!whole || parts.some(({ cell }) => !cell)) continue;
      const cells = parts.map(({ cell }) => cell as CellNumber);
      const value = parts.reduce(
        (all, { cell, isMinus }) => (isMinus ? all.minus(cell?.value ?? 0) : all.plus(cell?.value ?? 0)),
        whole.value.times(0),
      );
      const difference = whole.value.minus(value);
      // Each figure may have been rounded.
      const tolerance = unit
        .times(parts.length + 1)
        .div(2)
        .plus(unit.div(100));
      if (difference.abs().lte(tolerance)) continue;
      const shownSum = parts
        .map(
          ({ key, isMinus, cell }, at) =>
            `${at === 0 ? '' : isMinus ? '− ' : '+ '}${itemOf(key).name} ${shownWith(cell as CellNumber)}`,
        )
        .join(' ');
      found.push({
        rule,
        severity,
        periods: [period.id],
        finding: `${period.id}: ${itemOf(total).name} ${shownWith(whole)} is not ${shownSum} = ${shownAmount(value)}; difference ${shownAmount(difference)}${hintOf(difference, unit)}`,
        limit: `a difference above rounding (${shownAmount(tolerance)})`,
        cells: [whole, ...cells],
      });
    }
    found.push(...brokenChain({ statements, figures, unit }, period));
  }
  return found;
}

function brokenChain(
  { statements, figures, unit }: Pick<Examined, 'statements' | 'figures' | 'unit'>,
  period: Period,
): Anomaly[] {
  const before = previousOf(statements.periods, period);
  const opening = figures.given('openingCash', period);
  const closing = before && (figures.given('closingCash', before) ?? figures.given('cash', before));
  if (!before || !opening || !closing || opening.value.minus(closing.value).abs().lte(unit)) return [];
  return [
    {
      rule: 'opening-cash',
      severity: 'high',
      periods: [before.id, period.id],
      finding: `${period.id}: cash at the beginning ${shownWith(opening)} is not the cash at the end of ${before.id} ${shownWith(closing)}`,
      limit: `a difference above rounding (${shownAmount(unit)})`,
      cells: [opening, closing],
    },
  ];
}

/** Two digits that were swapped make a difference that nine divides. */
const hintOf = (difference: Decimal, unit: Decimal): string =>
  difference.div(unit).isInteger() && difference.div(unit).mod(9).isZero()
    ? ' (it can be divided by 9, as after two digits were swapped)'
    : '';
