import { bracketParts, bracketRows, creditPart, levy, part, percent, plain } from '../levy.ts';
import { atLeastZero, floorTo, min, money, type Money } from '../money.ts';
import type { AustraliaTable } from '../tables/table-types.ts';
import type { Individual, Levy, Part, PlaceRules } from '../types.ts';
import { au2023 } from '../tables/au-2023-24.ts';
import { au2024 } from '../tables/au-2024-25.ts';
import { au2025 } from '../tables/au-2025-26.ts';

function taxableOf({ wages, otherIncome, deductions }: Individual): { base: Part[]; taxable: Money } {
  const base = [
    part('Wages', wages),
    part('Other income', otherIncome),
    part('Further deductions', deductions.negated()),
  ];
  // Cents are left out of taxable income.
  return { base, taxable: floorTo(atLeastZero(wages.plus(otherIncome).minus(deductions))) };
}

function incomeTax(person: Individual, table: AustraliaTable): Levy {
  const { base, taxable } = taxableOf(person);
  const parts = bracketParts(taxable, table.brackets);
  parts.push(creditPart('Low income tax offset', parts, lowIncomeOffset(taxable, table)));
  parts.push(creditPart('Further credits', parts, person.credits));
  return levy('Income tax', 'tax', { base, taxable, parts });
}

function lowIncomeOffset(taxable: Money, { lowIncomeOffset: { most, tapers } }: AustraliaTable): Money {
  const lost = tapers.map(({ from, to, rate }) => atLeastZero(min(taxable, to).minus(from)).times(rate));
  return atLeastZero(lost.reduce<Money>((left, each) => left.minus(each), money(most)));
}

/** Medicare Levy Act 1986, section 7: between the thresholds the levy is 10 % of what exceeds the lower one. */
function medicareLevy(person: Individual, { medicare: { rate, threshold } }: AustraliaTable): Levy {
  const { base, taxable } = taxableOf(person);
  const full = taxable.times(rate);
  const due = threshold === null ? full : min(full, atLeastZero(taxable.minus(threshold.from)).times(threshold.rate));
  return levy('Medicare levy', 'contribution', {
    base,
    taxable,
    parts: [part(`${percent(rate)} of ${plain(taxable)}`, full), part('Reduction for low income', due.minus(full))],
  });
}

export const au: PlaceRules<AustraliaTable> = {
  id: 'au',
  name: 'Australia',
  currency: 'AUD',
  tables: [au2023, au2024, au2025],
  uses: ['small'],
  individual: (person, table) => [incomeTax(person, table), medicareLevy(person, table)],
  corporation: ({ profit, isSmall }, { corporation: { rate, smallRate } }) => {
    const applied = isSmall ? smallRate : rate;
    return [
      levy('Company tax', 'tax', {
        base: [part('Taxable income', profit)],
        parts: [part(`${percent(applied)} of ${plain(profit)}`, profit.times(applied))],
      }),
    ];
  },
  rates: (table) => [
    { title: 'Income tax of residents', rows: bracketRows(table.brackets) },
    {
      title: 'Offset, levy and companies',
      rows: [
        ['Low income tax offset', `${plain(money(table.lowIncomeOffset.most))} at most`],
        ...table.lowIncomeOffset.tapers.map(
          ({ from, to, rate }) =>
            ['It falls', `by ${percent(rate)} from ${plain(money(from))} to ${plain(money(to))}`] as const,
        ),
        ['Medicare levy', percent(table.medicare.rate)],
        [
          'Medicare levy, nothing up to',
          table.medicare.threshold === null ? 'not known' : plain(money(table.medicare.threshold.from)),
        ],
        ['Companies', `${percent(table.corporation.rate)}; base rate entities ${percent(table.corporation.smallRate)}`],
      ],
    },
  ],
  assumes: ['Resident for the whole year, without private health cover questions; each of a couple is taxed alone.'],
  leavesOut: ({ medicare }) => [
    ...(medicare.threshold === null
      ? ['the reduction of the Medicare levy for low incomes (its threshold is not known here)']
      : []),
    'the Medicare levy surcharge',
    'the reduction of the Medicare levy for families',
    'offsets for seniors and others',
    'study loan repayments',
    'superannuation',
  ],
  corporationLeavesOut: ['offsets and losses of other years'],
};
