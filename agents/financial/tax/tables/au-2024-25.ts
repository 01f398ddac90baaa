import type { AustraliaTable } from './table-types.ts';

export const au2024: AustraliaTable = {
  year: '2024-25',
  period: '1 July 2024 to 30 June 2025',
  sources: [
    {
      name: 'Income Tax Rates Act 1986, Schedule 7, as amended by the Treasury Laws Amendment (Cost of Living Tax Cuts) Act 2024',
      date: '2024-03-05',
    },
    {
      name: 'Australian Taxation Office, tax rates of Australian residents',
      date: '2025',
      url: 'https://www.ato.gov.au/tax-rates-and-codes/tax-rates-australian-residents',
    },
    { name: 'Medicare Levy Act 1986, as amended for 2024–25', date: '2025' },
  ],
  brackets: [
    [18200, 0],
    [45000, 0.16],
    [135000, 0.3],
    [190000, 0.37],
    [null, 0.45],
  ],
  lowIncomeOffset: {
    most: 700,
    tapers: [
      { from: 37_500, to: 45_000, rate: 0.05 },
      { from: 45_000, to: 66_667, rate: 0.015 },
    ],
  },
  medicare: { rate: 0.02, threshold: { from: 27222, rate: 0.1 } },
  corporation: { rate: 0.3, smallRate: 0.25 },
};
