import { bracketRows, creditPart, levy, part, percent, plain, roundingPart } from '../levy.ts';
import { atLeastZero, cents, floorTo, max, min, money, sum, zero, type Money } from '../money.ts';
import type { GermanyTable } from '../tables/table-types.ts';
import type { Individual, Levy, Part, PlaceRules } from '../types.ts';
import { de2024 } from '../tables/de-2024.ts';
import { de2025 } from '../tables/de-2025.ts';
import { de2026 } from '../tables/de-2026.ts';

type Insurance = { pension: Money; unemployment: Money; health: Money; care: Money };

const childlessFrom = 23;

function insuranceOf(wages: Money, { children, age = 30 }: Individual, { insurance }: GermanyTable): Insurance {
  const { pension, unemployment, health, care } = insurance;
  const upToPension = min(wages, insurance.pensionUpTo);
  const upToHealth = min(wages, insurance.healthUpTo);
  const isChildless = children === 0 && age >= childlessFrom;
  const discounted = Math.max(0, Math.min(children, 5) - 1);
  const careRate = money(care.rate)
    .plus(isChildless ? care.childless : 0)
    .minus(money(care.perChild).times(discounted));
  return {
    pension: upToPension.times(pension),
    unemployment: upToPension.times(unemployment),
    health: upToHealth.times(money(health.rate).plus(health.additional).dividedBy(2)),
    care: upToHealth.times(careRate),
  };
}

/** § 10 EStG. Sick pay is 4 % of the health insurance; unemployment insurance counts where the ceiling leaves room. */
function deductibleInsurance(insured: readonly Insurance[], { specialExpenses }: GermanyTable): Money {
  const totalOf = (of: (one: Insurance) => Money) => sum(insured.map(of));
  const basic = totalOf(({ health, care }) => health.times(0.96).plus(care));
  const all = totalOf(({ health, care, unemployment }) => health.plus(care).plus(unemployment));
  const ceiling = money(specialExpenses.ceiling).times(insured.length);
  return totalOf(({ pension }) => pension).plus(max(basic, min(all, ceiling)));
}

function incomeTax(person: Individual, table: GermanyTable): [tax: Levy, taxable: Money] {
  const { wages, partnerWages, otherIncome, deductions, status } = person;
  const isJoint = status === 'married';
  const earners = isJoint ? [wages, partnerWages] : [wages];
  const insured = earners.map((wage) => insuranceOf(wage, person, table));
  const lump = table.specialExpenses.lump * earners.length;
  const base = [
    part('Wages', wages),
    part('Wages of the partner', partnerWages),
    part('Other income', otherIncome),
    ...earners.map((wage) => part('Employee lump sum', min(wage, table.employeeLump).negated())),
    part('Insurance contributions (§ 10 EStG)', deductibleInsurance(insured, table).negated()),
    part('Lump sum for special expenses', -lump),
    part('Further deductions', deductions.negated()),
  ];
  // § 32a (1) EStG: down to a full euro; § 32a (5): twice the tax of half the income.
  const taxable = floorTo(atLeastZero(sum(base.map(({ amount }) => amount))));
  const parts = tariffParts(taxable, isJoint, table);
  parts.push(creditPart('Further credits', parts, person.credits));
  return [levy('Income tax (§ 32a EStG)', 'tax', { base, taxable, parts }), taxable];
}

function tariffParts(taxable: Money, isJoint: boolean, table: GermanyTable): Part[] {
  const share = isJoint ? taxable.dividedBy(2) : taxable;
  const { tax, zone } = tariff(share, table);
  const times = isJoint ? 2 : 1;
  const parts = [
    part(`Zone ${zone} of the tariff${isJoint ? ', twice the tax of half the income' : ''}`, tax.times(times)),
  ];
  return [...parts, roundingPart('Down to a full euro', parts, floorTo(tax).times(times))];
}

/** The formula of § 32a (1) EStG for one person, before rounding. */
export function tariff(taxable: Money, { tariff }: GermanyTable): { tax: Money; zone: 1 | 2 | 3 | 4 | 5 } {
  const { free, first, second, third, fourth } = tariff;
  const x = floorTo(taxable);
  if (x.lessThanOrEqualTo(free)) return { tax: zero, zone: 1 };
  if (x.lessThanOrEqualTo(first.upTo)) {
    const y = x.minus(free).dividedBy(10_000);
    return { tax: y.times(first.a).plus(first.b).times(y), zone: 2 };
  }
  if (x.lessThanOrEqualTo(second.upTo)) {
    const z = x.minus(first.upTo).dividedBy(10_000);
    return { tax: z.times(second.a).plus(second.b).times(z).plus(second.c), zone: 3 };
  }
  const { rate, less } = x.lessThanOrEqualTo(third.upTo) ? third : fourth;
  return { tax: x.times(rate).minus(less), zone: x.lessThanOrEqualTo(third.upTo) ? 4 : 5 };
}

/** §§ 3, 4 SolZG: nothing up to a limit, then at most 11.9 % of what exceeds it. Fractions of a cent are left out. */
function solidarity({ amount }: Levy, isJoint: boolean, { solidarity: { rate, taper, free } }: GermanyTable): Levy {
  const limit = free * (isJoint ? 2 : 1);
  const due = min(amount.times(rate), atLeastZero(amount.minus(limit)).times(taper));
  return levy('Solidarity surcharge', 'tax', {
    base: [part('Income tax', amount)],
    parts: [
      part(`${percent(rate)}, at most ${percent(taper)} of the tax above ${plain(money(limit))}`, floorTo(due, 0.01)),
    ],
  });
}

function contributions(person: Individual, table: GermanyTable): Levy {
  const earners = [person.wages, ...(person.status === 'married' ? [person.partnerWages] : [])];
  const insured = earners.map((wage) => insuranceOf(wage, person, table));
  const of = (key: keyof Insurance) => sum(insured.map((one) => cents(one[key])));
  return levy('Social insurance (employee)', 'contribution', {
    base: [part('Wages', sum(earners))],
    parts: [
      part('Pension insurance', of('pension')),
      part('Unemployment insurance', of('unemployment')),
      part('Health insurance with the average additional rate', of('health')),
      part('Long-term care insurance', of('care')),
    ],
  });
}

function corporationTax(profit: Money, { corporation: { rate, solidarity } }: GermanyTable): Levy {
  const tax = profit.times(rate);
  return levy('Corporation tax with solidarity surcharge', 'tax', {
    base: [part('Taxable profit', profit)],
    parts: [
      part(`${percent(rate)} of ${plain(profit)}`, tax),
      part(`Solidarity surcharge, ${percent(solidarity)}`, tax.times(solidarity)),
    ],
  });
}

export const de: PlaceRules<GermanyTable> = {
  id: 'de',
  name: 'Germany',
  currency: 'EUR',
  tables: [de2024, de2025, de2026],
  isJoint: true,
  uses: ['status', 'children', 'age'],
  individual: (person, table) => {
    const [tax] = incomeTax(person, table);
    return [tax, solidarity(tax, person.status === 'married', table), contributions(person, table)];
  },
  corporation: ({ profit }, table) => [corporationTax(profit, table)],
  rates: (table) => {
    const { free, first, second, third } = table.tariff;
    const { pension, unemployment, health, care, pensionUpTo, healthUpTo } = table.insurance;
    return [
      {
        title: 'Tariff of § 32a EStG, a person',
        rows: [
          [`up to ${plain(money(free))}`, '0 %'],
          [
            `${plain(money(free))} to ${plain(money(first.upTo))}`,
            `(${first.a} y + ${first.b}) y, y = (x − ${free}) / 10,000`,
          ],
          [
            `${plain(money(first.upTo))} to ${plain(money(second.upTo))}`,
            `(${second.a} z + ${second.b}) z + ${second.c}, z = (x − ${first.upTo}) / 10,000`,
          ],
          ...bracketRows([
            [second.upTo, 0],
            [third.upTo, third.rate],
            [null, table.tariff.fourth.rate],
          ]).slice(1),
        ],
      },
      {
        title: 'Deductions, surcharge and contributions',
        rows: [
          ['Employee lump sum', plain(money(table.employeeLump))],
          [
            'Solidarity surcharge',
            `${percent(table.solidarity.rate)}, none up to a tax of ${plain(money(table.solidarity.free))}`,
          ],
          [
            'Pension and unemployment insurance, employee',
            `${percent(pension)} and ${percent(unemployment)} up to ${plain(money(pensionUpTo))}`,
          ],
          [
            'Health insurance, employee',
            `half of ${percent(health.rate)} and of ${percent(health.additional)} on average, up to ${plain(money(healthUpTo))}`,
          ],
          [
            'Long-term care insurance, employee',
            `${percent(care.rate)}, childless ${percent(money(care.rate).plus(care.childless))}`,
          ],
          ['Corporations', `${percent(table.corporation.rate)} and ${percent(table.corporation.solidarity)} of it`],
        ],
      },
    ];
  },
  assumes: [
    'Employee in the statutory insurances for the whole year, outside Saxony, with the average additional health rate; without children above the age of 23, unless the request says otherwise.',
  ],
  leavesOut: [
    'church tax',
    'child allowances and child benefit',
    'reduced contributions of jobs with low pay (mini and midi jobs)',
    'relief for single parents',
    'income under progression (Progressionsvorbehalt), capital income at 25 %',
  ],
  corporationLeavesOut: ['trade tax (Gewerbesteuer), which depends on the municipality'],
};
