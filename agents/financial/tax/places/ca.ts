import { bracketParts, bracketRows, creditPart, levy, part, percent, plain } from '../levy.ts';
import { atLeastZero, max, min, money, type Money } from '../money.ts';
import type { CanadaTable } from '../tables/table-types.ts';
import type { Individual, Levy, Part, PlaceRules } from '../types.ts';
import { ca2024 } from '../tables/ca-2024.ts';
import { ca2025 } from '../tables/ca-2025.ts';
import { ca2026 } from '../tables/ca-2026.ts';

/** What an employee pays into the Canada Pension Plan and employment insurance. */
type Contributions = { base: Money; enhanced: Money; second: Money; insurance: Money };

export function contributionsOf({ wages }: Individual, { pension, insurance }: CanadaTable): Contributions {
  const pensionable = atLeastZero(min(wages, pension.upTo).minus(pension.exempt));
  return {
    base: pensionable.times(pension.baseRate),
    enhanced: pensionable.times(pension.enhancedRate),
    second: atLeastZero(min(wages, pension.secondUpTo).minus(pension.upTo)).times(pension.secondRate),
    insurance: min(wages, insurance.upTo).times(insurance.rate),
  };
}

/** Taxable income, the same for the country and its provinces. */
export function taxableIncome(person: Individual, table: CanadaTable): { base: Part[]; taxable: Money } {
  const { enhanced, second } = contributionsOf(person, table);
  const base = [
    part('Wages', person.wages),
    part('Other income', person.otherIncome),
    part('Enhanced pension plan contributions', enhanced.plus(second).negated()),
    part('Further deductions', person.deductions.negated()),
  ];
  return { base, taxable: atLeastZero(base.reduce<Money>((total, { amount }) => total.plus(amount), money(0))) };
}

function federalTax(person: Individual, table: CanadaTable): Levy {
  const { base, taxable } = taxableIncome(person, table);
  const { base: pension, insurance } = contributionsOf(person, table);
  const rate = table.creditRate;
  const credits = [
    ['Basic personal amount', basicAmount(taxable, table)],
    ['Canada employment amount', min(person.wages, table.employmentAmount)],
    ['Pension plan and employment insurance', pension.plus(insurance)],
  ] as const;
  const parts = bracketParts(taxable, table.brackets);
  for (const [label, amount] of credits)
    parts.push(creditPart(`${label}: ${percent(rate)} of ${plain(amount)}`, parts, amount.times(rate)));
  parts.push(creditPart('Further credits', parts, person.credits));
  return levy('Canada federal income tax', 'tax', { base, taxable, parts });
}

/** Income Tax Act, section 118(1.1): the amount falls evenly between the two highest thresholds. */
function basicAmount(income: Money, { basicAmount: { most, least, from, to } }: CanadaTable): Money {
  const share = min(atLeastZero(income.minus(from)).dividedBy(to - from), 1);
  return money(most).minus(share.times(most - least));
}

function contributions(person: Individual, table: CanadaTable): Levy[] {
  const { base, enhanced, second, insurance } = contributionsOf(person, table);
  const wages = [part('Wages', person.wages)];
  return [
    levy('Canada Pension Plan (employee)', 'contribution', {
      base: wages,
      parts: [
        part(
          `${percent(table.pension.baseRate + table.pension.enhancedRate)} from ${plain(money(table.pension.exempt))} to ${plain(money(table.pension.upTo))}`,
          base.plus(enhanced),
        ),
        part(
          `Second contribution, ${percent(table.pension.secondRate)} up to ${plain(money(table.pension.secondUpTo))}`,
          second,
        ),
      ],
    }),
    levy('Employment insurance (employee)', 'contribution', {
      base: wages,
      parts: [part(`${percent(table.insurance.rate)} up to ${plain(money(table.insurance.upTo))}`, insurance)],
    }),
  ];
}

export const canadaLevies = (person: Individual, table: CanadaTable): Levy[] => [
  federalTax(person, table),
  ...contributions(person, table),
];

export const federalCorporation = (profit: Money, isSmall: boolean, { corporation }: CanadaTable): Levy =>
  corporationLevy('Canada federal corporation tax', { profit, isSmall, rules: corporation });

type CorporationRules = CanadaTable['corporation'];
type Asked = { profit: Money; isSmall: boolean; rules: CorporationRules };

export function corporationLevy(name: string, { profit, isSmall, rules: { rate, smallRate, smallUpTo } }: Asked): Levy {
  const small = isSmall ? min(profit, smallUpTo) : money(0);
  const rest = max(profit.minus(small), 0);
  return levy(name, 'tax', {
    base: [part('Taxable profit', profit)],
    parts: [
      part(`Small business, ${percent(smallRate)} of ${plain(small)}`, small.times(smallRate)),
      part(`${percent(rate)} of ${plain(rest)}`, rest.times(rate)),
    ],
  });
}

export const canadaRates = (table: CanadaTable) => [
  { title: 'Canada federal income tax', rows: bracketRows(table.brackets) },
  {
    title: 'Canada, amounts and contributions',
    rows: [
      ['Rate of credits', percent(table.creditRate)],
      [
        'Basic personal amount',
        `${plain(money(table.basicAmount.most))}, falling to ${plain(money(table.basicAmount.least))} between ${plain(money(table.basicAmount.from))} and ${plain(money(table.basicAmount.to))}`,
      ],
      ['Canada employment amount', plain(money(table.employmentAmount))],
      [
        'Canada Pension Plan, employee',
        `${percent(table.pension.baseRate + table.pension.enhancedRate)} from ${plain(money(table.pension.exempt))} to ${plain(money(table.pension.upTo))}, ${percent(table.pension.secondRate)} up to ${plain(money(table.pension.secondUpTo))}`,
      ],
      [
        'Employment insurance, employee',
        `${percent(table.insurance.rate)} up to ${plain(money(table.insurance.upTo))}`,
      ],
      [
        'Corporations',
        `${percent(table.corporation.rate)}; small business ${percent(table.corporation.smallRate)} up to ${plain(money(table.corporation.smallUpTo))}`,
      ],
    ] as const,
  },
];

export const canadaAssumes = ['Resident outside Quebec for the whole year; each of a couple is taxed alone.'];
export const canadaLeavesOut = [
  'AMT (alternative minimum tax)',
  'amounts for age, spouse, dependants, disability and medical expenses',
  'capital gains and dividends at their own rates',
  'benefits and refundable credits',
];

export const ca: PlaceRules<CanadaTable> = {
  id: 'ca',
  name: 'Canada (federal)',
  currency: 'CAD',
  tables: [ca2024, ca2025, ca2026],
  uses: ['small'],
  individual: canadaLevies,
  corporation: ({ profit, isSmall }, table) => [federalCorporation(profit, isSmall, table)],
  rates: canadaRates,
  assumes: canadaAssumes,
  leavesOut: [...canadaLeavesOut, 'taxes of provinces'],
  corporationLeavesOut: ['taxes of provinces', 'the fall of the small business limit with capital and passive income'],
};
