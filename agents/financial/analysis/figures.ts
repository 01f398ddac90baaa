import { Decimal } from 'decimal.js';
import type { CellNumber, CellRef } from '../tables/cells.ts';
import { itemOf } from './dictionary.ts';
import { periodsPerYear, type Period } from './periods.ts';
import type { Statements } from './read-statements.ts';

/** A number that came into a calculation: the line and its cell. */
export type Input = { name: string; period: string; value: Decimal; from: CellRef };

/** What a line or a sum of lines is in a period. `formula` in names, `sum` in numbers. */
export type Figure = { value: Decimal; formula: string; sum: string; inputs: Input[]; isSum: boolean };

/** Why there is no figure: the lines that are missing. */
export type Missing = { missing: string[] };

/** How a line follows from others where it is not given; the first that can be worked out counts. */
const derivations: Record<string, readonly string[]> = {
  grossProfit: ['revenue - costOfSales'],
  costOfSales: ['revenue - grossProfit'],
  ebitda: ['operatingIncome + depreciation'],
  operatingIncome: ['ebitda - depreciation'],
  totalAssets: ['currentAssets + nonCurrentAssets', 'liabilitiesAndEquity'],
  currentAssets: ['totalAssets - nonCurrentAssets'],
  totalLiabilities: [
    'currentLiabilities + nonCurrentLiabilities',
    'totalAssets - equity',
    'liabilitiesAndEquity - equity',
  ],
  currentLiabilities: ['totalLiabilities - nonCurrentLiabilities'],
  equity: ['totalAssets - totalLiabilities', 'liabilitiesAndEquity - totalLiabilities'],
  totalDebt: ['shortTermDebt + longTermDebt'],
  cash: ['closingCash'],
  netChangeInCash: ['operatingCashFlow + investingCashFlow + financingCashFlow'],
};

export type Term = { key: string; isMinus: boolean; isAverage: boolean };

/** `currentAssets - inventory` as terms; `average equity` is the mean of a period's beginning and end. */
export const termsOf = (sum: string): Term[] =>
  sum.split(/ (?=[+-] )/).map((part) => {
    const plain = part.replace(/^[+-] /, '');
    return {
      key: plain.replace(/^average /, ''),
      isMinus: part.startsWith('- '),
      isAverage: plain.startsWith('average '),
    };
  });

export const isMissing = (figure: Figure | Missing): figure is Missing => 'missing' in figure;

/** The period before one, of the same kind. */
export const previousOf = (periods: readonly Period[], { kind, last }: Period, step = 1): Period | undefined =>
  periods.find((one) => one.kind === kind && one.last === last - (12 / periodsPerYear[kind]) * step);

export const shownAmount = (value: Decimal): string => value.toDecimalPlaces(4).toString();

/** Reads figures of statements, and works out those that follow from others. */
export function createFigures({ lines, periods }: Pick<Statements, 'lines' | 'periods'>) {
  const given = (key: string, period: Period): CellNumber | undefined => lines.get(key)?.values.get(period.id);

  function figureOf(key: string, period: Period, above: readonly string[] = []): Figure | Missing {
    const { name } = itemOf(key);
    const cell = given(key, period);
    if (cell) {
      const { value, from } = cell;
      return {
        value,
        formula: name,
        sum: `${shownAmount(value)} [${from.sheet}!${from.cell}]`,
        inputs: [{ name, period: period.id, value, from }],
        isSum: false,
      };
    }
    for (const derivation of derivations[key] ?? []) {
      const keys = termsOf(derivation).map((term) => term.key);
      if (keys.some((one) => above.includes(one))) continue;
      const figure = sumOf(derivation, period, [...above, key]);
      if (!isMissing(figure)) return figure;
    }
    return { missing: [name] };
  }

  function averageOf(key: string, period: Period, above: readonly string[]): Figure | Missing {
    const end = figureOf(key, period, above);
    const before = previousOf(periods, period);
    const start = before && figureOf(key, before, above);
    if (isMissing(end)) return end;
    if (!start || isMissing(start)) return { ...end, formula: `${inBrackets(end)} at the end` };
    return {
      value: end.value.plus(start.value).div(2),
      formula: `average ${inBrackets(end)}`,
      sum: `((${start.sum} + ${end.sum}) ÷ 2)`,
      inputs: [...start.inputs, ...end.inputs],
      isSum: false,
    };
  }

  /** @param above the lines that are being worked out, so that none follows from itself */
  function sumOf(sum: string, period: Period, above: readonly string[] = []): Figure | Missing {
    const parts = termsOf(sum).map((term) => ({
      ...term,
      figure: term.isAverage ? averageOf(term.key, period, above) : figureOf(term.key, period, above),
    }));
    const missing = parts.flatMap(({ figure }) => (isMissing(figure) ? figure.missing : []));
    if (missing.length > 0) return { missing: [...new Set(missing)] };
    const figures = parts as (Term & { figure: Figure })[];
    const join = (shown: (figure: Figure) => string) =>
      figures.map(({ figure, isMinus }, at) => `${at === 0 ? '' : isMinus ? ' − ' : ' + '}${shown(figure)}`).join('');
    const [only] = figures;
    if (figures.length === 1 && only) return only.figure;
    return {
      value: figures.reduce(
        (total, { figure, isMinus }) => (isMinus ? total.minus(figure.value) : total.plus(figure.value)),
        new Decimal(0),
      ),
      formula: join(inBrackets),
      sum: join((figure) => (figure.isSum ? `(${figure.sum})` : figure.sum)),
      inputs: figures.flatMap(({ figure }) => figure.inputs),
      isSum: true,
    };
  }

  return { given, figureOf, sumOf: (sum: string, period: Period) => sumOf(sum, period) };
}
export type Figures = ReturnType<typeof createFigures>;

export const inBrackets = ({ formula, isSum }: Figure) => (isSum ? `(${formula})` : formula);
