import type { UsTable } from './table-types.ts';

export const us2025: UsTable = {
  year: '2025',
  period: '1 January to 31 December 2025',
  sources: [
    {
      name: 'IRS Revenue Procedure 2024-40, section 2.01 (brackets)',
      date: '2024-10-22',
      url: 'https://www.irs.gov/pub/irs-drop/rp-24-40.pdf',
    },
    {
      name: 'Public Law 119-21, sections 70102 to 70104 (standard deduction, senior deduction, child tax credit)',
      date: '2025-07-04',
    },
    {
      name: 'Social Security Administration, contribution and benefit base 2025',
      date: '2024-10-10',
      url: 'https://www.ssa.gov/oact/cola/cbb.html',
    },
    { name: '26 U.S.C. § 3101 (FICA)', date: '2010-03-30' },
  ],
  brackets: {
    single: [
      [11925, 0.1],
      [48475, 0.12],
      [103350, 0.22],
      [197300, 0.24],
      [250525, 0.32],
      [626350, 0.35],
      [null, 0.37],
    ],
    married: [
      [23850, 0.1],
      [96950, 0.12],
      [206700, 0.22],
      [394600, 0.24],
      [501050, 0.32],
      [751600, 0.35],
      [null, 0.37],
    ],
    separate: [
      [11925, 0.1],
      [48475, 0.12],
      [103350, 0.22],
      [197300, 0.24],
      [250525, 0.32],
      [375800, 0.35],
      [null, 0.37],
    ],
    head: [
      [17000, 0.1],
      [64850, 0.12],
      [103350, 0.22],
      [197300, 0.24],
      [250500, 0.32],
      [626350, 0.35],
      [null, 0.37],
    ],
  },
  standardDeduction: { single: 15750, married: 31500, separate: 15750, head: 23625 },
  aged: { unmarried: 2000, married: 1600 },
  seniorDeduction: { amount: 6_000, rate: 0.06, from: { single: 75_000, married: 150_000 } },
  childCredit: { amount: 2200, from: { single: 200_000, married: 400_000 } },
  socialSecurity: { rate: 0.062, upTo: 176100 },
  medicare: {
    rate: 0.0145,
    additionalRate: 0.009,
    from: { single: 200_000, married: 250_000, separate: 125_000, head: 200_000 },
  },
  corporationRate: 0.21,
};
