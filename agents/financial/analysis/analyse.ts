import { Decimal } from 'decimal.js';
import { createPause } from '../../../runtime/create-pause.ts';
import type { Table } from '../tables/cells.ts';
import { usualLimits, type Anomaly, type AnomalyLimits, type Examined } from './anomalies/anomaly.ts';
import { findOddRelations } from './anomalies/relations.ts';
import { findOddFigures } from './anomalies/series.ts';
import { findWrongSums } from './anomalies/sums.ts';
import { createFigures, type Figures } from './figures.ts';
import { measureAll, type Measured, type NotComputed } from './measure.ts';
import { readStatements, type ReadOptions, type Statements } from './read-statements.ts';
import { runwayOf, type Runway } from './runway.ts';
import { trendsOf, type Trend } from './trends.ts';

export type AnalysisOptions = ReadOptions & {
  /** Months over which the use of cash is averaged. */
  burnMonths?: number | undefined;
  limits?: Partial<AnomalyLimits> | undefined;
};

export type Analysis = {
  statements: Statements;
  figures: Figures;
  measured: Measured[];
  trends: Trend[];
  runway: Runway | undefined;
  anomalies: Anomaly[];
  notComputed: NotComputed[];
};

const bySeverity = { high: 0, medium: 1, low: 2 };

/**
 * Analyses statements: ratios, trends, runway and anomalies, each figure with the cells that it comes from. Other work
 * of the process goes on between tables.
 *
 * @throws AlfredError `invalid_request` as `readStatements`; the reason of the signal's abort
 */
export async function analyse(
  tables: readonly Table[],
  options: AnalysisOptions = {},
  signal?: AbortSignal,
): Promise<Analysis> {
  const pause = createPause(signal);
  const statements = await readStatements(tables, options, pause);
  const figures = createFigures(statements);
  const { periods } = statements;
  await pause();
  const { measured, notComputed } = measureAll(figures, periods);
  const growth = trendsOf(figures, periods);
  const runway = runwayOf(figures, periods, options.burnMonths ?? 3);
  await pause();
  const limits = { ...usualLimits, ...options.limits };
  const examined: Examined = { statements, figures, measured, limits, unit: new Decimal(statements.unit) };
  const anomalies = [
    ...findWrongSums(examined),
    ...findOddRelations(examined),
    ...findOddFigures(examined),
    ...(typeof runway === 'string' ? [] : shortRunway(runway, limits.runwayMonths)),
  ];
  return {
    statements,
    figures,
    measured,
    trends: growth.trends,
    runway: typeof runway === 'string' ? undefined : runway,
    anomalies: anomalies.sort((a, b) => bySeverity[a.severity] - bySeverity[b.severity]),
    notComputed: [
      ...notComputed,
      ...growth.notComputed,
      ...(typeof runway === 'string' ? [{ name: 'cash runway', periods: [], reason: runway }] : []),
    ],
  };
}

function shortRunway({ months, period, calculation, inputs }: Runway, limit: number): Anomaly[] {
  if (!months?.lt(limit)) return [];
  return [
    {
      rule: 'short-runway',
      severity: 'high',
      periods: [period],
      finding: `cash lasts ${months.toDecimalPlaces(1).toString()} months from ${period} on (${calculation})`,
      limit: `below ${limit} months`,
      cells: inputs.map(({ value, from }) => ({ value, from })),
    },
  ];
}
