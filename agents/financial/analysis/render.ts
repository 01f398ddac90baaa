import type { Decimal } from 'decimal.js';
import { bulletList, fitSections, markdownTable, plainText } from '../tools/render.ts';
import type { Analysis } from './analyse.ts';
import type { Measured } from './measure.ts';
import type { Period } from './periods.ts';

/** What no analysis of ours says. */
const notIncluded =
  'Not included: forecasts, comparison with a branch, valuation, audit, and what the tables do not say (leases, off-balance items, currency effects). Ratios of months, quarters and halves are put to a year where their formula shows it.';

/** A value of a ratio for people. */
export function shownValue(value: Decimal, unit: Measured['unit']): string {
  if (unit === 'percent') return `${value.times(100).toFixed(1)} %`;
  if (unit === 'days') return `${value.toFixed(1)} days`;
  return unit === 'amount' ? grouped(value.toFixed(2)) : value.toFixed(2);
}

const grouped = (digits: string) => digits.replace(/\B(?=(?:\d{3})+(?!\d)(?=\.|$))/g, ',').replace(/\.00$/, '');

/** The analysis for people, in Markdown. @param files names of the files beside it */
export function renderAnalysis(analysis: Analysis, files: readonly string[]): string {
  const { statements, measured, anomalies, notComputed, runway } = analysis;
  const { periods, lines, currency, unrecognised, unreadable, notes } = statements;
  const cells = unreadable.slice(0, 10).map(({ sheet, cell, text }) => `${sheet}!${cell} “${plainText(text)}”`);
  const labels = unrecognised.map(({ sheet, cell, text }) => `${plainText(text)} (${plainText(sheet)}!${cell})`);
  return fitSections(
    [
      `**Analysis of ${periods.map(({ id }) => id).join(', ')}**${currency ? `, in ${currency}` : ''}: ${lines.size} lines recognised, ${measured.length} ratios, ${anomalies.length} anomalies.`,
      anomalies.length > 0
        ? `**Anomalies**\n\n${bulletList(
            anomalies.map(
              ({ severity, rule, finding, limit }) => `${severity}, ${rule}: ${plainText(finding)}. Rule: ${limit}.`,
            ),
            12,
          )}`
        : '**Anomalies**: none.',
      runway ? renderRunway(runway) : '',
      renderRatios(measured, periods),
      renderTrends(analysis),
      notComputed.length > 0
        ? `**Not computed**\n\n${bulletList(
            notComputed.map(
              ({ name, periods: of, reason }) =>
                `${name}${of.length > 0 && of.length < periods.length ? ` (${of.join(', ')})` : ''}: ${reason}`,
            ),
            20,
          )}`
        : '',
      labels.length > 0
        ? `**Lines that were not recognised, and not used**: ${labels.slice(0, 20).join('; ')}${labels.length > 20 ? `; and ${labels.length - 20} more` : ''}.`
        : '',
      cells.length > 0 ? `**Cells that are no numbers**: ${cells.join(', ')}.` : '',
      notes.length > 0 ? `**How the tables were read**\n\n${bulletList(notes.map(plainText), 10)}` : '',
    ],
    [notIncluded, files.length > 0 ? `Files: ${files.join(', ')}.` : ''],
    `The rest stands in the files: ${files.join(', ')}.`,
  );
}

function renderRunway({
  months,
  period,
  cash,
  burnPerMonth,
  method,
  over,
  calculation,
}: NonNullable<Analysis['runway']>): string {
  const basis = `${plainText(method)} of ${over.join(', ')}: ${plainText(calculation)}`;
  if (!months) return `**Cash runway**: cash does not fall (${basis}), so there is no end to count to.`;
  const shown = months.gt(120) ? 'more than ten years' : `${months.toFixed(1)} months`;
  return `**Cash runway**: ${shown} from the end of ${period} on: cash of ${grouped(cash.toFixed(2))} and a burn of ${grouped(burnPerMonth.toFixed(2))} a month (${basis}).`;
}

/** The ratios of the last periods of the kind with the most, and how the last one is worked out. */
function renderRatios(measured: readonly Measured[], periods: readonly Period[]): string {
  const shown = lastPeriods(periods, 3);
  const last = shown.at(-1);
  const keys = [...new Set(measured.filter(({ period }) => shown.includes(period)).map(({ key }) => key))];
  if (!last || keys.length === 0) return '';
  const rows = keys.map((key) => {
    const own = measured.filter((one) => one.key === key);
    const of = (period: Period) => own.find((one) => one.period === period);
    const latest = shown.map(of).findLast((one) => one !== undefined);
    return [
      own[0]?.name ?? key,
      ...shown.map((period) => {
        const found = of(period);
        return found ? shownValue(found.value, found.unit) : '–';
      }),
      latest ? `${latest.formula} = ${latest.calculation}` : '',
    ];
  });
  return `**Ratios**\n\n${markdownTable(['ratio', ...shown.map(({ id }) => id), 'how the last one is worked out'], rows)}`;
}

function lastPeriods(periods: readonly Period[], most: number): Period[] {
  const kinds = Map.groupBy(periods, ({ kind }) => kind);
  const [largest = []] = [...kinds.values()].sort((a, b) => b.length - a.length);
  return largest.slice(-most);
}

function renderTrends({ trends, statements: { periods } }: Analysis): string {
  const [last] = lastPeriods(periods, 1);
  const own = trends.filter(({ to, kind }) => to === last?.id || kind === 'cagr');
  const names = [...new Set(own.map(({ name }) => name))];
  if (names.length === 0) return '';
  const lines = names.map((name) => {
    const parts = own
      .filter((one) => one.name === name)
      .map(({ kind, from, to, value }) => {
        const share = `${value.isNegative() ? '' : '+'}${value.times(100).toFixed(1)} %`;
        return kind === 'cagr' ? `${share} a year from ${from} to ${to} (CAGR)` : `${share} from ${from} to ${to}`;
      });
    return `${name}: ${parts.join(', ')}`;
  });
  return `**Trends**\n\n${bulletList(lines, 12)}`;
}
