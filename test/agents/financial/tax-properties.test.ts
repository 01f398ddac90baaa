import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { TaxInput, placeIds, type PlaceId } from '../../../agents/financial/intents.ts';
import { calculate, type Assessment } from '../../../agents/financial/tax/calculate.ts';
import { places } from '../../../agents/financial/tax/places/index.ts';
import type { PlaceYear } from '../../../agents/financial/tax/types.ts';

/** The same persons in every run. */
const sample = { seed: 20_251_129, numRuns: 60 };
const everyYear = placeIds.flatMap((id) => places[id].map((one) => [`${id} ${one.year}`, id, one] as const));
const unitOf = ({ currency }: PlaceYear) => (currency === 'JPY' || currency === 'INR' ? 100 : 1);

function assess(id: PlaceId, year: string, more: object): Assessment {
  const [assessed] = calculate(TaxInput.parse({ places: [id], year, ...more }));
  if (!assessed) throw new Error('no assessment');
  return assessed;
}

const incomes = (place: PlaceYear) =>
  fc
    .oneof(fc.integer({ min: 0, max: 60_000 }), fc.integer({ min: 0, max: 3_000_000 }))
    .map((each) => each * unitOf(place));

const sumOf = (lines: readonly { amount: Assessment['total'] }[], zero: Assessment['total']) =>
  lines.reduce((sum, { amount }) => sum.plus(amount), zero);

test.each(everyYear)('%s: every sum is that of its lines, to the cent, and nothing is negative', (_, id, place) => {
  const persons = fc.record({
    income: incomes(place).map((each) => each + 0.37),
    status: fc.constantFrom('single' as const, 'married' as const, 'separate' as const, 'head' as const),
    children: fc.integer({ min: 0, max: 4 }),
    age: fc.option(fc.integer({ min: 18, max: 90 }), { nil: undefined }),
    otherIncome: fc.integer({ min: 0, max: 50_000 }),
    deductions: fc.integer({ min: 0, max: 20_000 }),
    credits: fc.integer({ min: 0, max: 5_000 }),
    regime: fc.constantFrom('new' as const, 'old' as const),
  });
  fc.assert(
    fc.property(persons, (any) => {
      const isRefused = id === 'in' && any.regime === 'new';
      const person = isRefused ? { ...any, deductions: 0 } : any;
      const { levies, total, net, income } = assess(id, place.year, person);
      const zero = total.minus(total);
      for (const { base, taxable, parts, amount } of levies) {
        if (base.length > 0) expect(sumOf(base, zero).toFixed(2)).toBe(taxable.toFixed(2));
        expect(sumOf(parts, zero).toFixed(2)).toBe(amount.toFixed(2));
        expect(amount.decimalPlaces()).toBeLessThanOrEqual(2);
        expect(amount.isNegative() && !amount.isZero()).toBe(false);
        expect(taxable.isNegative() && !taxable.isZero()).toBe(false);
      }
      expect(sumOf(levies, zero).toFixed(2)).toBe(total.toFixed(2));
      expect(net.plus(total).toFixed(2)).toBe(income.toFixed(2));
    }),
    sample,
  );
});

/**
 * What one more unit may cost beside roundings and cliffs. Marginal relief in India takes all of it, and the cess; the
 * recapture of New York takes more than all.
 */
const steepest = ({ currency, id }: PlaceYear) => (id === 'us-ny' ? 1.15 : currency === 'INR' ? 1.05 : 0.75);
/** Steps of roundings, in units: 1,000 yen of income, ten rupees, a euro. */
const rounding = (place: PlaceYear) => ({ JPY: 1_500, INR: 25, USD: 15 })[place.currency] ?? 3;

test.each(everyYear)('%s: more income never lowers the tax, and it jumps at documented cliffs only', (_, id, place) => {
  const step = 50 * unitOf(place);
  const cliffs = place.cliffs();
  const regimes = place.uses.includes('regime') ? (['new', 'old'] as const) : (['new'] as const);
  fc.assert(
    fc.property(incomes(place), fc.constantFrom(...regimes), (income, regime) => {
      const before = assess(id, place.year, { income, regime }).total;
      const after = assess(id, place.year, { income: income + step, regime }).total;
      const more = after.minus(before).toNumber();
      expect(more).toBeGreaterThanOrEqual(-rounding(place));
      const isCliff = cliffs.some(({ from, to }) => income + step >= from && income <= to);
      if (!isCliff) expect(more).toBeLessThanOrEqual(step * steepest(place) + rounding(place));
    }),
    sample,
  );
});

test.each(everyYear.filter(([, , place]) => place.corporation))(
  '%s: a corporation pays a share of its profit',
  (_, id, place) => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e9 }), fc.boolean(), (income, smallCompany) => {
        const { levies, total } = assess(id, place.year, { income, entity: 'corporation', smallCompany });
        const zero = total.minus(total);
        for (const { parts, amount } of levies) expect(sumOf(parts, zero).toFixed(2)).toBe(amount.toFixed(2));
        expect(total.toNumber()).toBeLessThanOrEqual(income * 0.4 + 800);
        expect(total.toNumber()).toBeGreaterThanOrEqual(0);
      }),
      { ...sample, numRuns: 20 },
    );
  },
);

test('a cliff that is documented is there: the tax jumps within it', () => {
  const cliffs = everyYear.flatMap(([name, id, place]) =>
    place.cliffs().map((cliff) => ({
      name,
      id,
      year: place.year,
      regime: place.uses.includes('regime') ? 'old' : 'new',
      ...cliff,
    })),
  );
  expect(cliffs.length).toBeGreaterThan(0);
  for (const { name, id, year, regime, from, to } of cliffs) {
    const below = assess(id, year, { income: from, regime }).total;
    const above = assess(id, year, { income: to, regime }).total;
    expect({ name, from, isMore: above.greaterThan(below) }).toEqual({ name, from, isMore: true });
  }
});
