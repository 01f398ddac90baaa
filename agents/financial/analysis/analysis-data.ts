import type { JsonValue } from '../../../contract/json.ts';
import { csvText } from '../../../contract/rules/csv-text.ts';
import type { Chart } from '../../tools/draw-charts.ts';
import type { CellRef } from '../tables/cells.ts';
import { textArtifact } from '../tools/render.ts';
import type { Analysis } from './analyse.ts';
import { itemOf } from './dictionary.ts';
import { isMissing, type Input } from './figures.ts';
import type { Measured } from './measure.ts';
import type { Period } from './periods.ts';

const cellOf = ({ sheet, cell, text }: CellRef) => ({ sheet, cell, text });
const inputOf = ({ name, period, value, from }: Input) => ({ name, period, value: value.toString(), ...cellOf(from) });

/** The analysis as data: numbers are texts, so that nothing of them is lost. */
export function analysisData(analysis: Analysis): Record<string, JsonValue> {
  const { statements, measured, trends, runway, anomalies, notComputed } = analysis;
  return {
    currency: statements.currency ?? null,
    periods: statements.periods.map(({ id, kind }) => ({ id, kind })),
    lines: [...statements.lines].map(([key, { label, values }]) => ({
      key,
      name: itemOf(key).name,
      label: cellOf(label),
      values: [...values].map(([period, { value, from }]) => ({ period, value: value.toString(), ...cellOf(from) })),
    })),
    ratios: measured.map(({ key, name, group, unit, period, value, formula, calculation, inputs }) => ({
      key,
      name,
      group,
      unit,
      period: period.id,
      value: value.toDecimalPlaces(6).toString(),
      formula,
      calculation,
      inputs: inputs.map(inputOf),
    })),
    trends: trends.map(({ value, inputs, ...trend }) => ({
      ...trend,
      value: value.toDecimalPlaces(6).toString(),
      inputs: inputs.map(inputOf),
    })),
    runway: runway
      ? {
          ...runway,
          cash: runway.cash.toString(),
          burnPerMonth: runway.burnPerMonth.toDecimalPlaces(4).toString(),
          months: runway.months?.toDecimalPlaces(2).toString() ?? null,
          inputs: runway.inputs.map(inputOf),
        }
      : null,
    anomalies: anomalies.map(({ cells, ...anomaly }) => ({
      ...anomaly,
      cells: cells.map(({ value, from }) => ({ value: value.toString(), ...cellOf(from) })),
    })),
    notComputed: notComputed.map((one) => ({ ...one })),
    unrecognised: statements.unrecognised.map(cellOf),
    unreadable: statements.unreadable.map(cellOf),
    notes: statements.notes,
  };
}

/** Characters of the lists of short data, which together stay below 20,000, and of a text of a file. */
const listCharacters = {
  periods: 1_000,
  ratios: 9_500,
  trends: 2_500,
  anomalies: 3_000,
  notComputed: 1_000,
  others: 500,
};
const mostTextCharacters = 200;

/**
 * The same of the last periods, without the lines and with cells by their addresses: for models and for the result of
 * a task. `leftOut`: of how much else the file has, by list.
 */
export function shortAnalysisData(analysis: Analysis): Record<string, JsonValue> {
  const { statements, measured, trends, runway, anomalies, notComputed } = analysis;
  const addresses = (inputs: readonly Pick<Input, 'from'>[]) => [...new Set(inputs.map(({ from }) => addressOf(from)))];
  const periods = statements.periods.map(({ id, kind }) => ({ id, kind })).reverse();
  const recent = new Set(periods.slice(0, 4).map(({ id }) => id));
  const age = new Map(periods.map(({ id }, index) => [id, index]));
  const newestFirst = (a: string, b: string) => (age.get(a) ?? 0) - (age.get(b) ?? 0);
  const all: Record<string, { list: JsonValue[]; of: number; most: number }> = {
    periods: { list: periods, of: periods.length, most: listCharacters.periods },
    ratios: {
      list: measured
        .filter(({ period }) => recent.has(period.id))
        .sort((a, b) => newestFirst(a.period.id, b.period.id))
        .map(({ key, unit, period, value, formula, inputs }) => ({
          key,
          unit,
          period: period.id,
          value: value.toDecimalPlaces(6).toString(),
          formula,
          cells: addresses(inputs),
        })),
      of: measured.length,
      most: listCharacters.ratios,
    },
    trends: {
      list: trends
        .filter(({ to }) => recent.has(to))
        .sort((a, b) => newestFirst(a.to, b.to))
        .map(({ key, kind, from, to, value, inputs }) => ({
          key,
          kind,
          from,
          to,
          value: value.toDecimalPlaces(6).toString(),
          cells: addresses(inputs),
        })),
      of: trends.length,
      most: listCharacters.trends,
    },
    anomalies: {
      list: anomalies.map(({ rule, severity, periods: own, finding, cells }) => ({
        rule,
        severity,
        periods: own.slice(0, 4),
        finding: shortText(finding),
        cells: addresses(cells).slice(0, 12),
      })),
      of: anomalies.length,
      most: listCharacters.anomalies,
    },
    notComputed: {
      list: notComputed.map(({ name, reason }) => ({ name, reason })),
      of: notComputed.length,
      most: listCharacters.notComputed,
    },
    ...Object.fromEntries(
      Object.entries({
        unrecognised: statements.unrecognised.map((one) => `${addressOf(one)} ${shortText(one.text)}`),
        unreadable: statements.unreadable.map((one) => `${addressOf(one)} ${shortText(one.text)}`),
        notes: statements.notes.map(shortText),
      }).map(([name, list]) => [name, { list, of: list.length, most: listCharacters.others }]),
    ),
  };
  const lists = Object.entries(all).map(([name, { list, of, most }]) => {
    const shown = firstOf(list, most);
    return { name, shown, left: of - shown.length };
  });
  const left = lists.filter((one) => one.left > 0).map((one) => [one.name, one.left] as const);
  return {
    currency: statements.currency ?? null,
    ...Object.fromEntries(lists.map(({ name, shown }) => [name, shown])),
    runway: runway
      ? {
          period: runway.period,
          cash: runway.cash.toString(),
          burnPerMonth: runway.burnPerMonth.toDecimalPlaces(4).toString(),
          months: runway.months?.toDecimalPlaces(2).toString() ?? null,
          method: shortText(runway.method),
          cells: addresses(runway.inputs).slice(0, 12),
        }
      : null,
    ...(left.length > 0 && { leftOut: { ...Object.fromEntries(left), file: 'analysis.json' } }),
  };
}

const addressOf = ({ sheet, cell }: Pick<CellRef, 'sheet' | 'cell'>): string => `${shortText(sheet, 60)}!${cell}`;

const shortText = (text: string, most = mostTextCharacters): string =>
  text.length > most ? `${text.slice(0, most).toWellFormed()}…` : text;

/** The first ones, as many as fit. */
function firstOf(list: readonly JsonValue[], most: number): JsonValue[] {
  let left = most;
  const shown: JsonValue[] = [];
  for (const one of list) {
    left -= JSON.stringify(one).length + 1;
    if (left < 0) break;
    shown.push(one);
  }
  return shown;
}

/** The tables and the data of an analysis as files. */
export function analysisFiles(analysis: Analysis) {
  const { statements, measured, trends, anomalies } = analysis;
  const cells = (inputs: readonly Input[]) => inputs.map(({ from }) => `${from.sheet}!${from.cell}`).join(' ');
  const ratios = csvText([
    ['group', 'ratio', 'period', 'value', 'unit', 'formula', 'calculation', 'cells'],
    ...measured.map(({ group, name, period, value, unit, formula, calculation, inputs }) => [
      group,
      name,
      period.id,
      value.toDecimalPlaces(6).toString(),
      unit,
      formula,
      calculation,
      cells(inputs),
    ]),
    ...trends.map(({ name, kind, from, to, value, formula, calculation, inputs }) => [
      'trend',
      `${kind === 'cagr' ? 'CAGR' : 'growth'} of ${name} since ${from}`,
      to,
      value.toDecimalPlaces(6).toString(),
      'share',
      formula,
      calculation,
      cells(inputs),
    ]),
  ]);
  const figures = csvText([
    ['statement', 'line', 'label', 'period', 'value', 'cell', 'text'],
    ...[...statements.lines].flatMap(([key, { label, values }]) =>
      [...values].map(([period, { value, from }]) => [
        itemOf(key).statement,
        itemOf(key).name,
        label.text,
        period,
        value.toString(),
        `${from.sheet}!${from.cell}`,
        from.text,
      ]),
    ),
  ]);
  const found = csvText([
    ['severity', 'rule', 'periods', 'finding', 'limit', 'cells'],
    ...anomalies.map(({ severity, rule, periods, finding, limit, cells: from }) => [
      severity,
      rule,
      periods.join(' '),
      finding,
      limit,
      from.map(({ from: { sheet, cell } }) => `${sheet}!${cell}`).join(' '),
    ]),
  ]);
  return [
    textArtifact('ratios.csv', 'text/csv', ratios),
    textArtifact('figures.csv', 'text/csv', figures),
    ...(anomalies.length > 0 ? [textArtifact('anomalies.csv', 'text/csv', found)] : []),
    textArtifact('analysis.json', 'application/json', `${JSON.stringify(analysisData(analysis), null, 1)}\n`),
  ];
}

const mostLabels = 60;

/** Charts of what the statements have: revenue and profit, margins, cash. */
export function analysisCharts({ statements, figures, measured }: Analysis): Chart[] {
  const kinds = Map.groupBy(statements.periods, ({ kind }) => kind);
  const [periods = []] = [...kinds.values()].sort((a, b) => b.length - a.length).map((own) => own.slice(-mostLabels));
  if (periods.length < 2) return [];
  const labels = periods.map(({ id }) => id);
  const line = (key: string) => ({
    name: itemOf(key).name,
    values: periods.map((period) => {
      const figure = figures.figureOf(key, period);
      return isMissing(figure) ? null : figure.value.toFixed();
    }),
  });
  const margin = (key: string) => ({
    name: measured.find((one: Measured) => one.key === key)?.name ?? key,
    values: periods.map((period: Period) => {
      const found = measured.find((one) => one.key === key && one.period === period);
      return found ? found.value.times(100).toFixed(2) : null;
    }),
  });
  const filled = (series: Chart['series']) => series.filter(({ values }) => values.some((value) => value !== null));
  const unit = statements.currency ?? 'amount';
  const charts: Chart[] = [
    {
      type: 'bar',
      name: 'revenue-and-profit',
      title: 'Revenue and profit',
      labels,
      yLabel: unit,
      series: filled([line('revenue'), line('grossProfit'), line('netIncome')]),
    },
    {
      type: 'line',
      name: 'margins',
      title: 'Margins',
      labels,
      yLabel: '%',
      series: filled(['grossMargin', 'operatingMargin', 'netMargin'].map(margin)),
    },
    {
      type: 'bar',
      name: 'cash',
      title: 'Cash',
      labels,
      yLabel: unit,
      series: filled([line('cash'), line('operatingCashFlow')]),
    },
  ];
  return charts.filter(({ series }) => series.length > 0);
}
