import { bracketParts, bracketRows, creditPart, levy, part, percent, plain } from '../levy.ts';
import { atLeastZero, ceilTo, max, min, money, type Money } from '../money.ts';
import type { UsTable } from '../tables/table-types.ts';
import type { Individual, Levy, Part, PlaceRules, Status } from '../types.ts';
import { us2024 } from '../tables/us-2024.ts';
import { us2025 } from '../tables/us-2025.ts';
import { us2026 } from '../tables/us-2026.ts';

const oldAge = 65;
const isMarried = (status: Status) => status === 'married' || status === 'separate';

export const adjustedGross = ({ wages, partnerWages, otherIncome }: Individual): Money =>
  wages.plus(partnerWages).plus(otherIncome);

/** What income states with an own income tax begin with, too. */
export const grossParts = ({ wages, partnerWages, otherIncome }: Individual): Part[] => [
  part('Wages', wages),
  part('Wages of the partner', partnerWages),
  part('Other income', otherIncome),
];

export function federalLevies(person: Individual, table: UsTable): Levy[] {
  return [federalIncomeTax(person, table), ...fica(person, table)];
}

function federalIncomeTax(person: Individual, table: UsTable): Levy {
  const { status, deductions, credits, children, age = 0 } = person;
  const isAged = age >= oldAge;
  const gross = adjustedGross(person);
  const base = [
    ...grossParts(person),
    part('Standard deduction', -table.standardDeduction[status]),
    part('Addition from 65 on', isAged ? -table.aged[isMarried(status) ? 'married' : 'unmarried'] : 0),
    part('Deduction for seniors', isAged ? seniorDeduction(gross, status, table).negated() : 0),
    part('Further deductions', deductions.negated()),
  ];
  const taxable = taxableOf(base);
  const parts = bracketParts(taxable, table.brackets[status]);
  parts.push(creditPart('Child tax credit', parts, childCredit(gross, { status, children }, table)));
  parts.push(creditPart('Further credits', parts, credits));
  return levy('US federal income tax', 'tax', { base, taxable, parts });
}

export const taxableOf = (base: readonly Part[]): Money =>
  atLeastZero(base.reduce<Money>((total, { amount }) => total.plus(amount), money(0)));

function seniorDeduction(gross: Money, status: Status, { seniorDeduction }: UsTable): Money {
  if (!seniorDeduction || status === 'separate') return money(0);
  const { amount, rate, from } = seniorDeduction;
  const excess = atLeastZero(gross.minus(status === 'married' ? from.married : from.single));
  return atLeastZero(money(amount).minus(excess.times(rate)));
}

/** 26 U.S.C. § 24(b)(1): 50 less for every 1,000 or part of it above the threshold. */
function childCredit(
  gross: Money,
  { status, children }: Pick<Individual, 'status' | 'children'>,
  table: UsTable,
): Money {
  const { amount, from } = table.childCredit;
  const excess = atLeastZero(gross.minus(status === 'married' ? from.married : from.single));
  return atLeastZero(money(amount).times(children).minus(ceilTo(excess, 1000).dividedBy(1000).times(50)));
}

function fica({ wages, partnerWages, status }: Individual, { socialSecurity, medicare }: UsTable): Levy[] {
  const { rate, upTo } = socialSecurity;
  const capped = [min(wages, upTo), min(partnerWages, upTo)] as const;
  const base = [part('Wages', wages), part('Wages of the partner', partnerWages)];
  const both = wages.plus(partnerWages);
  const above = atLeastZero(both.minus(medicare.from[status]));
  return [
    levy('Social Security (employee)', 'contribution', {
      base: [
        ...base,
        part(`Above ${plain(money(upTo))} a person`, max(capped[0].plus(capped[1]).minus(both), both.negated())),
      ],
      parts: [
        part(`${percent(rate)} of ${plain(capped[0])}`, capped[0].times(rate)),
        part(`${percent(rate)} of ${plain(capped[1])}`, capped[1].times(rate)),
      ],
    }),
    levy('Medicare (employee)', 'contribution', {
      base,
      parts: [
        part(`${percent(medicare.rate)} of ${plain(both)}`, both.times(medicare.rate)),
        part(`Additional ${percent(medicare.additionalRate)} of ${plain(above)}`, above.times(medicare.additionalRate)),
      ],
    }),
  ];
}

export const federalCorporation = (profit: Money, { corporationRate }: UsTable): Levy =>
  levy('US federal corporation income tax', 'tax', {
    base: [part('Taxable profit', profit)],
    parts: [part(`${percent(corporationRate)} of ${plain(profit)}`, profit.times(corporationRate))],
  });

export const statusNames: Record<Status, string> = {
  single: 'Single',
  married: 'Married filing jointly',
  separate: 'Married filing separately',
  head: 'Head of household',
};
export const statuses = Object.keys(statusNames) as Status[];

const seniorRows = ({ seniorDeduction }: UsTable): [string, string][] =>
  seniorDeduction
    ? [
        [
          'Deduction for seniors from 65 on, single',
          `${plain(money(seniorDeduction.amount))}, less ${percent(seniorDeduction.rate)} of the income above ${plain(money(seniorDeduction.from.single))}`,
        ],
      ]
    : [];

export const federalRates = (table: UsTable) => [
  ...statuses.map((status) => ({
    title: `US federal income tax, ${statusNames[status].toLowerCase()}`,
    rows: [
      ...bracketRows(table.brackets[status]),
      ['Standard deduction', plain(money(table.standardDeduction[status]))] as const,
    ],
  })),
  {
    title: 'Credits and contributions',
    rows: [
      ['Addition to the standard deduction from 65 on, unmarried', plain(money(table.aged.unmarried))],
      ['The same, married', plain(money(table.aged.married))],
      ...seniorRows(table),
      ['Child tax credit a child', plain(money(table.childCredit.amount))],
      [
        'Social Security, employee',
        `${percent(table.socialSecurity.rate)} up to ${plain(money(table.socialSecurity.upTo))}`,
      ],
      ['Medicare, employee', percent(table.medicare.rate)],
      [
        'Additional Medicare tax, single',
        `${percent(table.medicare.additionalRate)} over ${plain(money(table.medicare.from.single))}`,
      ],
      ['Corporations', percent(table.corporationRate)],
    ] as const,
  },
];

export const federalAssumes = [
  'Resident for the whole year; all wages are subject to FICA; the standard deduction applies, and further deductions are those that the request gives.',
  'To the cent: on a return, taxable incomes below 100,000 are looked up in steps of 50, which may make a few dollars of difference.',
];
export const federalLeavesOut = [
  'AMT (alternative minimum tax)',
  'itemised deductions',
  'refundable credits (earned income, additional child tax credit)',
  'capital gains and qualified dividends at their own rates',
  'net investment income tax',
  'self-employment tax',
  'deductions for tips, overtime and car loan interest',
];
export const corporationLeavesOut = [
  'corporate alternative minimum tax',
  'deductions, credits and losses of other years',
];

export const us: PlaceRules<UsTable> = {
  id: 'us',
  name: 'United States (federal)',
  currency: 'USD',
  tables: [us2024, us2025, us2026],
  isJoint: true,
  uses: ['status', 'children', 'age'],
  individual: federalLevies,
  corporation: ({ profit }, table) => [federalCorporation(profit, table)],
  rates: federalRates,
  assumes: federalAssumes,
  leavesOut: [...federalLeavesOut, 'taxes of states and cities'],
  corporationLeavesOut: [...corporationLeavesOut, 'taxes of states'],
};
