import { Decimal } from 'decimal.js';
import { measures, type Measure } from './data/measures.ts';
import { inBrackets, isMissing, type Figure, type Figures, type Input } from './figures.ts';
import { periodsPerYear, type Period } from './periods.ts';

/** A ratio in a period. `formula` in names, `calculation` in numbers with their cells. */
export type Measured = {
  key: string;
  name: string;
  group: Measure['group'];
  unit: Measure['unit'];
  period: Period;
  value: Decimal;
  formula: string;
  calculation: string;
  inputs: Input[];
};
/** `reason`: which line is missing, or why the ratio would say nothing. */
export type NotComputed = { name: string; periods: string[]; reason: string };

/** All ratios that the lines allow, and why the others are not there. */
export function measureAll(
  figures: Figures,
  periods: readonly Period[],
): { measured: Measured[]; notComputed: NotComputed[] } {
  const measured: Measured[] = [];
  const open = new Map<string, NotComputed>();
  for (const measure of measures)
    for (const period of periods) {
      const outcome = measureOne(figures, measure, period);
      if (typeof outcome !== 'string') measured.push(outcome);
      else {
        const key = `${measure.key} ${outcome}`;
        const entry = open.get(key) ?? { name: measure.name, periods: [], reason: outcome };
        entry.periods.push(period.id);
        open.set(key, entry);
      }
    }
  return { measured: [...measured, ...cycles(measured)], notComputed: [...open.values()] };
}

function measureOne(figures: Figures, measure: Measure, period: Period): Measured | string {
  const { bottom: bottomSum, times, needsPositive, top: topSum, ...named } = measure;
  const top = figures.sumOf(topSum, period);
  const bottom = bottomSum === undefined ? undefined : figures.sumOf(bottomSum, period);
  const missing = [top, bottom].flatMap((figure) => (figure && isMissing(figure) ? figure.missing : []));
  if (missing.length > 0) return `missing: ${[...new Set(missing)].join(', ')}`;
  const [over, under] = [top as Figure, bottom as Figure | undefined];
  if (under?.value.isZero()) return `${under.formula} is 0`;
  if (needsPositive && under?.value.isNegative()) return `${under.formula} is negative`;
  const perYear = periodsPerYear[period.kind];
  const factor =
    times === 'days' ? new Decimal(365).div(perYear) : times === 'year' ? new Decimal(perYear) : new Decimal(1);
  const factorText = factor.equals(1)
    ? ''
    : ` × ${factor.toDecimalPlaces(2).toString()}${times === 'days' ? ' days' : ''}`;
  const brackets = (figure: Figure) => (figure.isSum && under ? `(${figure.sum})` : figure.sum);
  return {
    ...named,
    period,
    value: (under ? over.value.div(under.value) : over.value).times(factor),
    formula: under ? `${inBrackets(over)} ÷ ${inBrackets(under)}${factorText}` : over.formula,
    calculation: under ? `${brackets(over)} ÷ ${brackets(under)}${factorText}` : brackets(over),
    inputs: [...over.inputs, ...(under?.inputs ?? [])],
  };
}

/** Days from paying for goods to being paid, where its three parts are known. */
function cycles(measured: readonly Measured[]): Measured[] {
  return measured.flatMap((dso) => {
    if (dso.key !== 'dso') return [];
    const of = (key: string) => measured.find((one) => one.key === key && one.period.id === dso.period.id);
    const [dio, dpo] = [of('dio'), of('dpo')];
    if (!dio || !dpo) return [];
    const shown = (one: Measured) => one.value.toDecimalPlaces(1).toString();
    return [
      {
        ...dso,
        key: 'cashConversionCycle',
        name: 'cash conversion cycle',
        value: dso.value.plus(dio.value).minus(dpo.value),
        formula: `${dso.name} + ${dio.name} − ${dpo.name}`,
        calculation: `${shown(dso)} + ${shown(dio)} − ${shown(dpo)}`,
        inputs: [...dso.inputs, ...dio.inputs, ...dpo.inputs],
      },
    ];
  });
}
