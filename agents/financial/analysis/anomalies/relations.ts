import type { CellNumber } from '../../tables/cells.ts';
import { itemOf } from '../dictionary.ts';
import { isMissing, previousOf, type Input } from '../figures.ts';
import type { Measured } from '../measure.ts';
import type { Period } from '../periods.ts';
import { idsOf, percentText, shownWith, type Anomaly, type Examined } from './anomaly.ts';

const cellsOf = (inputs: readonly Input[]): CellNumber[] => inputs.map(({ value, from }) => ({ value, from }));
const flowKinds = new Set(['income', 'cashflow']);

/** What two lines say together, and ratios beyond their limit. */
export const findOddRelations = (examined: Examined): Anomaly[] => [
  ...conflicts(examined),
  ...copiedPeriods(examined),
  ...examined.statements.periods.flatMap((period) => [
    ...outgrowth(examined, period, 'receivables', 'receivables-outgrow-sales'),
    ...outgrowth(examined, period, 'inventory', 'inventory-outgrows-sales'),
    ...profitWithoutCash(examined, period),
    ...negativeEquity(examined, period),
  ]),
  ...marginSwings(examined),
  ...lowRatios(examined, 'currentRatio', examined.limits.currentRatio, 'low-current-ratio'),
  ...lowRatios(examined, 'interestCoverage', examined.limits.interestCoverage, 'low-interest-coverage'),
];

const conflicts = ({ statements }: Examined): Anomaly[] =>
  statements.conflicts.map(({ key, period, cells }) => ({
    rule: 'two-figures',
    severity: 'high',
    periods: [period],
    finding: `${period}: ${itemOf(key).name} has several figures: ${cells.map(shownWith).join(', ')}. None of them is used`,
    limit: 'lines of one name have different figures',
    cells,
  }));

/** A column that repeats the one before it: figures that were never replaced. */
function copiedPeriods({ statements: { lines, periods } }: Examined): Anomaly[] {
  return periods.flatMap((period) => {
    const before = previousOf(periods, period);
    if (!before) return [];
    const pairs = [...lines]
      .filter(([key]) => flowKinds.has(itemOf(key).statement))
      .flatMap(([, { values }]) => {
        const [start, end] = [values.get(before.id), values.get(period.id)];
        return start && end && !end.value.isZero() ? [{ start, end }] : [];
      });
    const same = pairs.filter(({ start, end }) => start.value.equals(end.value));
    if (same.length < 3 || same.length < pairs.length * 0.8) return [];
    return [
      {
        rule: 'copied-period',
        severity: 'high' as const,
        periods: idsOf([before, period]),
        finding: `${period.id} repeats ${before.id}: ${same.length} of ${pairs.length} figures are the same, as ${same
          .slice(0, 3)
          .map(({ end }) => shownWith(end))
          .join(', ')}`,
        limit: 'at least three and 80 % of the figures of two periods are the same',
        cells: same.flatMap(({ start, end }) => [start, end]),
      },
    ];
  });
}

function outgrowth({ statements, figures, limits }: Examined, period: Period, key: string, rule: string): Anomaly[] {
  const before = previousOf(statements.periods, period);
  if (!before) return [];
  const [start, end] = [figures.given(key, before), figures.given(key, period)];
  const [startSales, endSales] = [figures.given('revenue', before), figures.given('revenue', period)];
  if (!start || !end || !startSales || !endSales || !start.value.gt(0) || !startSales.value.gt(0)) return [];
  const growth = end.value.div(start.value).minus(1);
  const sales = endSales.value.div(startSales.value).minus(1);
  if (!growth.minus(sales).gt(limits.outgrowth)) return [];
  return [
    {
      rule,
      severity: 'medium',
      periods: idsOf([before, period]),
      finding: `${period.id}: ${itemOf(key).name} grew by ${percentText(growth)} (${shownWith(start)} to ${shownWith(end)}), revenue by ${percentText(sales)} (${shownWith(startSales)} to ${shownWith(endSales)})`,
      limit: `more than ${percentText(limits.outgrowth)} faster than revenue`,
      cells: [start, end, startSales, endSales],
    },
  ];
}

function profitWithoutCash({ figures }: Examined, period: Period): Anomaly[] {
  const [profit, flow] = [figures.given('netIncome', period), figures.given('operatingCashFlow', period)];
  if (!profit || !flow || !profit.value.gt(0) || !flow.value.lt(0)) return [];
  return [
    {
      rule: 'profit-without-cash',
      severity: 'medium',
      periods: [period.id],
      finding: `${period.id}: net profit ${shownWith(profit)} with an operating cash flow of ${shownWith(flow)}`,
      limit: 'a profit while operations use up cash',
      cells: [profit, flow],
    },
  ];
}

function negativeEquity({ figures }: Examined, period: Period): Anomaly[] {
  const equity = figures.figureOf('equity', period);
  if (isMissing(equity) || !equity.value.lt(0)) return [];
  return [
    {
      rule: 'negative-equity',
      severity: 'high',
      periods: [period.id],
      finding: `${period.id}: equity is negative: ${equity.sum}`,
      limit: 'equity below zero',
      cells: cellsOf(equity.inputs),
    },
  ];
}

function marginSwings({ measured, limits, statements }: Examined): Anomaly[] {
  const margins = measured.filter(({ key }) => key === 'grossMargin');
  return margins.flatMap((end) => {
    const before = previousOf(statements.periods, end.period);
    const start = margins.find(({ period }) => period.id === before?.id);
    if (!start || !end.value.minus(start.value).abs().gt(limits.marginSwing)) return [];
    return [
      {
        rule: 'margin-swing',
        severity: 'medium' as const,
        periods: [start.period.id, end.period.id],
        finding: `${end.period.id}: the gross margin went from ${percentText(start.value)} to ${percentText(end.value)} (${end.calculation})`,
        limit: `a change of more than ${percentText(limits.marginSwing)} points`,
        cells: cellsOf([...start.inputs, ...end.inputs]),
      },
    ];
  });
}

const lowRatios = ({ measured }: Examined, key: string, limit: number, rule: string): Anomaly[] =>
  measured.flatMap((one: Measured) =>
    one.key === key && one.value.lt(limit)
      ? [
          {
            rule,
            severity: 'medium' as const,
            periods: [one.period.id],
            finding: `${one.period.id}: ${one.name} is ${one.value.toDecimalPlaces(2).toString()} (${one.calculation})`,
            limit: `below ${limit}`,
            cells: cellsOf(one.inputs),
          },
        ]
      : [],
  );
