import type { UsTable } from './table-types.ts';

export const us2024: UsTable = {
  year: '2024',
  period: '1 January to 31 December 2024',
  sources: [
    {
      name: 'IRS Revenue Procedure 2023-34, sections 3.01 and 3.15',
      date: '2023-11-09',
      url: 'https://www.irs.gov/pub/irs-drop/rp-23-34.pdf',
    },
    {
      name: 'Social Security Administration, contribution and benefit base 2024',
      date: '2023-10-12',
      url: 'https://www.ssa.gov/oact/cola/cbb.html',
    },
    { name: '26 U.S.C. §§ 24, 3101 (child tax credit, FICA)', date: '2017-12-22' },
  ],
  brackets: {
    single: [
      [11600, 0.1],
      [47150, 0.12],
      [100525, 0.22],
      [191950, 0.24],
      [243725, 0.32],
      [609350, 0.35],
      [null, 0.37],
    ],
    married: [
      [23200, 0.1],
      [94300, 0.12],
      [201050, 0.22],
      [383900, 0.24],
      [487450, 0.32],
      [731200, 0.35],
      [null, 0.37],
    ],
    separate: [
      [11600, 0.1],
      [47150, 0.12],
      [100525, 0.22],
      [191950, 0.24],
      [243725, 0.32],
      [365600, 0.35],
      [null, 0.37],
    ],
    head: [
      [16550, 0.1],
      [63100, 0.12],
      [100500, 0.22],
      [191950, 0.24],
      [243700, 0.32],
      [609350, 0.35],
      [null, 0.37],
    ],
  },
  standardDeduction: { single: 14600, married: 29200, separate: 14600, head: 21900 },
  aged: { unmarried: 1950, married: 1550 },
  seniorDeduction: null,
  childCredit: { amount: 2000, from: { single: 200_000, married: 400_000 } },
  socialSecurity: { rate: 0.062, upTo: 168600 },
  medicare: {
    rate: 0.0145,
    additionalRate: 0.009,
    from: { single: 200_000, married: 250_000, separate: 125_000, head: 200_000 },
  },
  corporationRate: 0.21,
};
