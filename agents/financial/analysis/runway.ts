import { Decimal } from 'decimal.js';
import { isMissing, previousOf, type Figure, type Figures, type Input } from './figures.ts';
import { periodsPerYear, type Period } from './periods.ts';

/** How long cash lasts. `months` is undefined when cash does not fall. */
export type Runway = {
  period: string;
  cash: Decimal;
  burnPerMonth: Decimal;
  months: Decimal | undefined;
  /** What cash flowed out by, in words. */
  method: string;
  over: string[];
  formula: string;
  calculation: string;
  inputs: Input[];
};

/** Free cash flow is what a company burns; the change of its cash also has what investors and banks paid in. */
const methods: readonly { name: string; sum: string }[] = [
  { name: 'operating and investing cash flow', sum: 'operatingCashFlow + investingCashFlow' },
  { name: 'operating cash flow less capital expenditure', sum: 'operatingCashFlow - capex' },
];
const changeOfCash = 'change of cash (with what was paid in by investors and banks)';

/** @param burnMonths over how many months the burn is averaged @returns why it cannot be worked out */
export function runwayOf(figures: Figures, periods: readonly Period[], burnMonths: number): Runway | string {
  const withCash = periods.filter((period) => !isMissing(figures.figureOf('cash', period)));
  const shortest = [...withCash].sort((a, b) => periodsPerYear[b.kind] - periodsPerYear[a.kind])[0];
  const last = withCash.filter(({ kind }) => kind === shortest?.kind).at(-1);
  if (!last) return 'missing: cash';
  const months = 12 / periodsPerYear[last.kind];
  const recent = periods
    .filter(({ kind, last: end }) => kind === last.kind && end <= last.last)
    .slice(-Math.max(1, Math.ceil(burnMonths / months)));
  const flows = flowsOf(figures, periods, recent);
  if (!flows)
    return 'missing: operating cash flow with investing cash flow or capital expenditure, or cash of the period before';
  const cash = figures.figureOf('cash', last) as Figure;
  const total = flows.list.reduce((sum, { value }) => sum.plus(value), new Decimal(0));
  const burn = total.negated().div(flows.list.length * months);
  const sum = flows.list.map((flow) => `(${flow.sum})`).join(' + ');
  const burns = burn.greaterThan(0);
  return {
    period: last.id,
    cash: cash.value,
    burnPerMonth: burn,
    months: burns ? cash.value.div(burn) : undefined,
    method: flows.method,
    over: flows.over,
    formula: `cash ÷ monthly burn; monthly burn = −(${flows.method}) ÷ ${flows.list.length * months} months`,
    calculation: burns
      ? `${cash.sum} ÷ ${burn.toDecimalPlaces(2).toString()}; −(${sum}) ÷ ${flows.list.length * months}`
      : `−(${sum}) ÷ ${flows.list.length * months}`,
    inputs: [...cash.inputs, ...flows.list.flatMap(({ inputs }) => inputs)],
  };
}

function flowsOf(figures: Figures, all: readonly Period[], recent: readonly Period[]) {
  const known = (list: { period: Period; figure: Figure | undefined }[]) =>
    list.flatMap(({ period, figure }) => (figure ? [{ period, figure }] : []));
  for (const { name, sum } of methods) {
    const list = known(recent.map((period) => ({ period, figure: orNothing(figures.sumOf(sum, period)) })));
    if (list.length > 0 && list.length === recent.length) return flowsFrom(name, list);
  }
  const changes = known(recent.map((period) => ({ period, figure: changeIn(figures, all, period) })));
  return changes.length > 0 ? flowsFrom(changeOfCash, changes) : undefined;
}

const flowsFrom = (method: string, list: { period: Period; figure: Figure }[]) => ({
  method,
  list: list.map(({ figure }) => figure),
  over: list.map(({ period }) => period.id),
});

const orNothing = (figure: ReturnType<Figures['sumOf']>) => (isMissing(figure) ? undefined : figure);

function changeIn(figures: Figures, all: readonly Period[], period: Period): Figure | undefined {
  const before = previousOf(all, period);
  const [start, end] = [before && figures.figureOf('cash', before), figures.figureOf('cash', period)];
  if (!start || isMissing(start) || isMissing(end)) return undefined;
  return {
    value: end.value.minus(start.value),
    formula: 'change of cash',
    sum: `${end.sum} − ${start.sum}`,
    inputs: [...start.inputs, ...end.inputs],
    isSum: true,
  };
}
