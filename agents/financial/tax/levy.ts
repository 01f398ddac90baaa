import { cents, max, min, money, sum, zero, type Money } from './money.ts';
import type { Brackets, Levy, Part } from './types.ts';

/** A line, to the cent. */
export const part = (label: string, amount: Money | number): Part => ({ label, amount: cents(money(amount)) });

/** Builds a tax or contribution of its lines. Lines of zero say nothing and are left out, unless all are zero. */
export function levy(
  name: string,
  kind: Levy['kind'],
  { base, parts, taxable }: { base: readonly Part[]; parts: readonly Part[]; taxable?: Money },
): Levy {
  const counted = base.filter(({ amount }, index) => index === 0 || !amount.isZero());
  const total = sum(counted.map(({ amount }) => amount));
  const rest = (taxable ?? total).minus(total);
  return {
    name,
    kind,
    base: rest.isZero()
      ? counted
      : [...counted, { label: total.isNegative() ? 'Not below zero' : 'Rounding', amount: rest }],
    taxable: taxable ?? total,
    parts: parts.filter(({ amount }) => !amount.isZero()),
    amount: sum(parts.map(({ amount }) => amount)),
  };
}

/** The tax of brackets on a whole amount, not rounded. */
export const progressive = (taxable: Money, brackets: Brackets): Money => {
  let below = zero;
  let tax = zero;
  for (const [upTo, rate] of brackets) {
    const top = upTo === null ? taxable : min(taxable, upTo);
    if (top.greaterThan(below)) tax = tax.plus(top.minus(below).times(rate));
    if (upTo === null || taxable.lessThanOrEqualTo(upTo)) break;
    below = money(upTo);
  }
  return tax;
};

/** One line a bracket. Each line is the difference of rounded sums, so that the lines add up to the rounded tax. */
export function bracketParts(taxable: Money, brackets: Brackets, rates = percent): Part[] {
  const parts: Part[] = [];
  let below = zero;
  let before = zero;
  for (const [upTo, rate] of brackets) {
    const top = upTo === null ? taxable : min(taxable, upTo);
    if (top.lessThanOrEqualTo(below)) break;
    const upToHere = cents(progressive(top, brackets));
    const label = `${rates(rate)} of ${plain(top.minus(below))}`;
    if (rate !== 0) parts.push({ label, amount: upToHere.minus(before) });
    before = upToHere;
    below = top;
  }
  return parts;
}

/** A line that brings what stands so far to its rounded value. */
export const roundingPart = (label: string, parts: readonly Part[], rounded: Money): Part =>
  part(label, rounded.minus(sum(parts.map(({ amount }) => amount))));

/** A line of a credit that reduces a tax to zero at most. */
export const creditPart = (label: string, parts: readonly Part[], credit: Money): Part =>
  part(label, min(credit, max(sum(parts.map(({ amount }) => amount)), 0)).negated());

export const percent = (rate: number | Money): string => `${money(rate).times(100).toDecimalPlaces(4).toString()} %`;

/** An amount for people: "180,000.50", "180,000". */
export function plain(amount: Money): string {
  const [whole = '', fraction] = cents(amount).toFixed(2).split('.');
  const grouped = whole.replace(/\B(?=(\d{3})+$)/gu, ',');
  return fraction === '00' ? grouped : `${grouped}.${fraction}`;
}

/** Rows of a rate sheet for brackets. */
export const bracketRows = (brackets: Brackets): [string, string][] =>
  brackets.map(([upTo, rate], index) => {
    const from = index === 0 ? 0 : (brackets[index - 1]?.[0] ?? 0);
    return [
      upTo === null ? `over ${plain(money(from))}` : `${plain(money(from))} to ${plain(money(upTo))}`,
      percent(rate),
    ];
  });
