import type { UsTable } from './table-types.ts';

export const us2026: UsTable = {
  year: '2026',
  period: '1 January to 31 December 2026',
  sources: [
    {
      name: 'IRS Revenue Procedure 2025-32, section 4 (brackets, standard deduction, child tax credit)',
      date: '2025-10-09',
      url: 'https://www.irs.gov/pub/irs-drop/rp-25-32.pdf',
    },
    { name: 'Public Law 119-21, section 70103 (senior deduction)', date: '2025-07-04' },
    {
      name: 'Social Security Administration, contribution and benefit base 2026',
      date: '2025-10-24',
      url: 'https://www.ssa.gov/oact/cola/cbb.html',
    },
    { name: '26 U.S.C. § 3101 (FICA)', date: '2010-03-30' },
  ],
  brackets: {
    single: [
      [12400, 0.1],
      [50400, 0.12],
      [105700, 0.22],
      [201775, 0.24],
      [256225, 0.32],
      [640600, 0.35],
      [null, 0.37],
    ],
    married: [
      [24800, 0.1],
      [100800, 0.12],
      [211400, 0.22],
      [403550, 0.24],
      [512450, 0.32],
      [768700, 0.35],
      [null, 0.37],
    ],
    separate: [
      [12400, 0.1],
      [50400, 0.12],
      [105700, 0.22],
      [201775, 0.24],
      [256225, 0.32],
      [384350, 0.35],
      [null, 0.37],
    ],
    head: [
      [17700, 0.1],
      [67450, 0.12],
      [105700, 0.22],
      [201750, 0.24],
      [256200, 0.32],
      [640600, 0.35],
      [null, 0.37],
    ],
  },
  standardDeduction: { single: 16100, married: 32200, separate: 16100, head: 24150 },
  aged: { unmarried: 2050, married: 1650 },
  seniorDeduction: { amount: 6_000, rate: 0.06, from: { single: 75_000, married: 150_000 } },
  childCredit: { amount: 2200, from: { single: 200_000, married: 400_000 } },
  socialSecurity: { rate: 0.062, upTo: 184500 },
  medicare: {
    rate: 0.0145,
    additionalRate: 0.009,
    from: { single: 200_000, married: 250_000, separate: 125_000, head: 200_000 },
  },
  corporationRate: 0.21,
};
