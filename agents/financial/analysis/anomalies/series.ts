import { Decimal } from 'decimal.js';
import { medianSorted, quantileSorted } from 'simple-statistics';
import type { CellNumber } from '../../tables/cells.ts';
import { itemOf } from '../dictionary.ts';
import { previousOf } from '../figures.ts';
import type { Period, PeriodKind } from '../periods.ts';
import { percentText, shownWith, type Anomaly, type Examined } from './anomaly.ts';

type Point = { period: Period; cell: CellNumber };
type Series = { key: string; points: Point[]; kind: PeriodKind; gaps: Period[] };

/** Lines that fall and rise by their nature, or that are differences of others. */
const restless = new Set([
  'investingCashFlow',
  'financingCashFlow',
  'netChangeInCash',
  'incomeTax',
  'dividends',
  'netIncome',
  'profitBeforeTax',
  'operatingIncome',
  'operatingCashFlow',
  'capex',
  'openingCash',
  'closingCash',
  'cash',
  'ebitda',
  'interestIncome',
  'otherOperatingIncome',
]);
/** Lines that are never below zero in a sound statement. */
const neverNegative = new Set([
  'revenue',
  'costOfSales',
  'totalAssets',
  'currentAssets',
  'nonCurrentAssets',
  'inventory',
  'receivables',
  'payables',
  'cash',
  'fixedAssets',
  'personnel',
  'rent',
  'depreciation',
  'administration',
  'selling',
  'operatingExpenses',
]);
/** So many periods show how much a line usually moves. */
const many = 6;

/** What stands out in the row of one line: another unit, a wrong sign, a gap, a spike or a jump. */
export function findOddFigures(examined: Examined): Anomaly[] {
  const { limits } = examined;
  return allSeries(examined).flatMap((series) => {
    const slips = unitSlips(series);
    const slipped = new Set(slips.flatMap(({ periods }) => periods));
    const signs = wrongSigns(series);
    const odd = new Set([...slipped, ...signs.flatMap(({ periods }) => periods)]);
    const rest = { ...series, points: series.points.filter(({ period }) => !odd.has(period.id)) };
    const moves = restless.has(series.key)
      ? []
      : rest.points.length >= many
        ? spikes(rest, limits.deviation)
        : jumps(rest, limits.change);
    return [...slips, ...signs, ...gaps(series), ...moves];
  });
}

function allSeries({ statements: { lines, periods } }: Examined): Series[] {
  return [...lines].flatMap(([key, { values }]) =>
    [...new Set(periods.map(({ kind }) => kind))].flatMap((kind) => {
      const own = periods.filter((period) => period.kind === kind);
      const points = own.flatMap((period) => {
        const cell = values.get(period.id);
        return cell ? [{ period, cell }] : [];
      });
      const first = points[0]?.period.last ?? Infinity;
      const gapsOf = own.filter((period) => period.last > first && !values.has(period.id));
      return points.length >= 2 ? [{ key, points, kind, gaps: gapsOf }] : [];
    }),
  );
}

const sorted = (numbers: readonly number[]) => [...numbers].sort((a, b) => a - b);
const medianOf = (numbers: readonly number[]) => medianSorted(sorted(numbers));

/** A figure in another unit than the others of its line: about a thousand times as large, or as small. */
function unitSlips({ key, points }: Series): Anomaly[] {
  if (points.length < 3) return [];
  return points.flatMap(({ period, cell }, index) => {
    const others = points
      .filter((_, at) => at !== index)
      .map((one) => Math.abs(one.cell.value.toNumber()))
      .filter((value) => value > 0);
    if (others.length < 2) return [];
    const usual = medianOf(others);
    const ratio = Math.abs(cell.value.toNumber()) / usual;
    const isSlip = [1_000, 1_000_000].some(
      (factor) =>
        (ratio > factor / 4 && ratio < factor * 4) || (ratio > 0 && ratio > 1 / (factor * 4) && ratio < 4 / factor),
    );
    if (!isSlip) return [];
    return [
      {
        rule: 'other-unit',
        severity: 'high' as const,
        periods: [period.id],
        finding: `${period.id}: ${itemOf(key).name} ${shownWith(cell)} is ${ratio >= 1 ? `${Math.round(ratio)} times` : `1/${Math.round(1 / ratio)} of`} the median of its other periods (${usual}), as an amount in another unit would be`,
        limit: 'about 1,000 or 1,000,000 times the median of the line, or that part of it',
        cells: [cell],
      },
    ];
  });
}

/** A figure whose sign is not that of its line. */
function wrongSigns({ key, points }: Series): Anomaly[] {
  if (!neverNegative.has(key)) return [];
  return points.flatMap(({ period, cell }) =>
    cell.value.isNegative() && !cell.value.isZero()
      ? [
          {
            rule: 'sign',
            severity: 'high' as const,
            periods: [period.id],
            finding: `${period.id}: ${itemOf(key).name} ${shownWith(cell)} has another sign than the line has in the statement`,
            limit: `${itemOf(key).name} is never below zero`,
            cells: [cell],
          },
        ]
      : [],
  );
}

/** A period without a figure, between or behind those that have one. */
function gaps({ key, points, gaps: missing }: Series): Anomaly[] {
  const [last] = points.slice(-1);
  if (points.length < 3 || missing.length === 0 || missing.length > 2 || !last) return [];
  return [
    {
      rule: 'missing-period',
      severity: 'medium',
      periods: missing.map(({ id }) => id),
      finding: `${itemOf(key).name} has no figure in ${missing.map(({ id }) => id).join(', ')}, and has one in ${points.length} other periods`,
      limit: 'one or two periods of a line are empty',
      cells: [last.cell],
    },
  ];
}

/** A figure far from those of the periods around it, against how far the others are. */
function spikes({ key, points }: Series, limit: number): Anomaly[] {
  const values = points.map(({ cell }) => cell.value.toNumber());
  const usual = values.map((_, at) =>
    medianOf(values.filter((__, other) => other !== at && Math.abs(other - at) <= 3)),
  );
  const deviations = values.map((value, at) => (usual[at] ? (value - (usual[at] ?? 0)) / Math.abs(usual[at] ?? 1) : 0));
  const sizes = sorted(deviations.map(Math.abs));
  // 1.4826 times the median makes the standard deviation of a normal distribution; five percent are always usual.
  const spread = Math.max(1.4826 * quantileSorted(sizes, 0.5), 0.05);
  return points.flatMap(({ period, cell }, at) => {
    const deviation = deviations[at] ?? 0;
    if (Math.abs(deviation) / spread < limit) return [];
    return [
      {
        rule: 'spike',
        severity: 'medium' as const,
        periods: [period.id],
        finding: `${period.id}: ${itemOf(key).name} ${shownWith(cell)} is ${percentText(Math.abs(deviation))} ${deviation > 0 ? 'above' : 'below'} the median of the periods around it (${new Decimal(usual[at] ?? 0).toDecimalPlaces(2).toString()}); the line usually moves by ${percentText(spread)}`,
        limit: `${limit} times the usual deviation of the line`,
        cells: [cell],
      },
    ];
  });
}

/** A large change where there are too few periods to say what is usual. */
function jumps({ key, points }: Series, limit: number): Anomaly[] {
  const periods = points.map(({ period }) => period);
  return points.flatMap(({ period, cell }) => {
    const before = previousOf(periods, period);
    const start = points.find((one) => one.period === before)?.cell;
    if (!start || start.value.isZero()) return [];
    const change = cell.value.minus(start.value).div(start.value.abs());
    if (change.abs().lte(limit)) return [];
    return [
      {
        rule: 'jump',
        severity: change.abs().gt(limit * 4) ? ('medium' as const) : ('low' as const),
        periods: [before?.id ?? '', period.id],
        finding: `${period.id}: ${itemOf(key).name} ${shownWith(cell)} changed by ${percentText(change)} against ${shownWith(start)}`,
        limit: `a change of more than ${percentText(limit)}`,
        cells: [start, cell],
      },
    ];
  });
}
