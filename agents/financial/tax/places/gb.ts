import type { PlaceId } from '../../intents.ts';
import { bracketParts, bracketRows, creditPart, levy, part, percent, plain } from '../levy.ts';
import { atLeastZero, ceilTo, min, money, type Money } from '../money.ts';
import type { UkTable } from '../tables/table-types.ts';
import type { Individual, Levy, PlaceRules } from '../types.ts';
import { gb2024 } from '../tables/gb-2024-25.ts';
import { gb2025 } from '../tables/gb-2025-26.ts';
import { gb2026 } from '../tables/gb-2026-27.ts';
import { gbSct2024 } from '../tables/gb-sct-2024-25.ts';
import { gbSct2025 } from '../tables/gb-sct-2025-26.ts';
import { gbSct2026 } from '../tables/gb-sct-2026-27.ts';

const pensionAge = 66;

function incomeTax(name: string, person: Individual, table: UkTable): Levy {
  const { wages, otherIncome, deductions, credits } = person;
  const net = wages.plus(otherIncome).minus(deductions);
  const base = [
    part('Wages', wages),
    part('Other income', otherIncome),
    part('Further deductions', deductions.negated()),
    part('Personal allowance', personalAllowance(net, table).negated()),
  ];
  const taxable = atLeastZero(base.reduce<Money>((total, { amount }) => total.plus(amount), money(0)));
  const parts = bracketParts(taxable, table.brackets);
  parts.push(creditPart('Further credits', parts, credits));
  return levy(name, 'tax', { base, taxable, parts });
}

/** Income Tax Act 2007, section 35: 1 less for every 2 above the threshold; what is left is rounded up to a pound. */
export function personalAllowance(net: Money, { personalAllowance: { amount, taperFrom } }: UkTable): Money {
  const lost = atLeastZero(net.minus(taperFrom)).dividedBy(2);
  return ceilTo(atLeastZero(money(amount).minus(lost)));
}

function nationalInsurance({ wages, age = 0 }: Individual, { nationalInsurance: rules }: UkTable): Levy {
  const { from, upTo, mainRate, upperRate } = rules;
  const isDue = age < pensionAge;
  const main = isDue ? atLeastZero(min(wages, upTo).minus(from)) : money(0);
  const upper = isDue ? atLeastZero(wages.minus(upTo)) : money(0);
  return levy('National Insurance (employee, class 1)', 'contribution', {
    base: [part('Wages', wages)],
    parts: [
      part(`${percent(mainRate)} of ${plain(main)}`, main.times(mainRate)),
      part(`${percent(upperRate)} of ${plain(upper)}`, upper.times(upperRate)),
    ],
  });
}

/** Corporation Tax Act 2010, Part 3A, for a company without associated companies and a period of twelve months. */
function corporationTax(profit: Money, { corporation: { small, rate, relief } }: UkTable): Levy {
  const isSmall = profit.lessThanOrEqualTo(small.upTo);
  const applied = isSmall ? small.rate : rate;
  const reduction = isSmall ? money(0) : atLeastZero(money(relief.upTo).minus(profit)).times(relief.fraction);
  return levy('Corporation tax', 'tax', {
    base: [part('Taxable profit', profit)],
    parts: [
      part(`${percent(applied)} of ${plain(profit)}`, profit.times(applied)),
      part('Marginal relief', reduction.negated()),
    ],
  });
}

type Nation = { id: PlaceId; name: string; tax: string; tables: readonly UkTable[] };

const nation = ({ id, name, tax, tables }: Nation): PlaceRules<UkTable> => ({
  id,
  name,
  currency: 'GBP',
  tables,
  uses: ['age'],
  individual: (person, table) => [incomeTax(tax, person, table), nationalInsurance(person, table)],
  corporation: ({ profit }, table) => [corporationTax(profit, table)],
  rates: (table) => [
    { title: `${tax}, above the personal allowance`, rows: bracketRows(table.brackets) },
    {
      title: 'Allowance, contributions and corporations',
      rows: [
        ['Personal allowance', plain(money(table.personalAllowance.amount))],
        ['It falls by 1 for every 2 above', plain(money(table.personalAllowance.taperFrom))],
        [
          'National Insurance, employee',
          `${percent(table.nationalInsurance.mainRate)} from ${plain(money(table.nationalInsurance.from))} to ${plain(money(table.nationalInsurance.upTo))}, ${percent(table.nationalInsurance.upperRate)} above`,
        ],
        [
          'Corporation tax',
          `${percent(table.corporation.small.rate)} up to ${plain(money(table.corporation.small.upTo))}, ${percent(table.corporation.rate)} from ${plain(money(table.corporation.relief.upTo))}, marginal relief between`,
        ],
      ],
    },
  ],
  assumes: [
    'National Insurance is worked out on the year, as for directors; month by month it may differ by a few pounds. It ends at the pension age, taken as 66.',
    'Each of a couple is taxed alone.',
  ],
  leavesOut: [
    'savings and dividends at their own rates',
    'marriage allowance and blind person’s allowance',
    'the high income child benefit charge',
    'student loans',
    'relief for pension contributions',
  ],
  corporationLeavesOut: ['associated companies, which divide the limits', 'reliefs and losses of other years'],
});

export const gb = nation({
  id: 'gb',
  name: 'United Kingdom (England, Wales and Northern Ireland)',
  tax: 'Income tax',
  tables: [gb2024, gb2025, gb2026],
});

export const gbSct = nation({
  id: 'gb-sct',
  name: 'United Kingdom (Scotland)',
  tax: 'Scottish income tax',
  tables: [gbSct2024, gbSct2025, gbSct2026],
});
