import type { AustraliaTable } from './table-types.ts';

export const au2023: AustraliaTable = {
  year: '2023-24',
  period: '1 July 2023 to 30 June 2024',
  sources: [
    { name: 'Income Tax Rates Act 1986, Schedule 7', date: '2018-06' },
    {
      name: 'Australian Taxation Office, tax rates of Australian residents',
      date: '2025',
      url: 'https://www.ato.gov.au/tax-rates-and-codes/tax-rates-australian-residents',
    },
    { name: 'Medicare Levy Act 1986, as amended for 2023–24', date: '2024' },
  ],
  brackets: [
    [18200, 0],
    [45000, 0.19],
    [120000, 0.325],
    [180000, 0.37],
    [null, 0.45],
  ],
  lowIncomeOffset: {
    most: 700,
    tapers: [
      { from: 37_500, to: 45_000, rate: 0.05 },
      { from: 45_000, to: 66_667, rate: 0.015 },
    ],
  },
  medicare: { rate: 0.02, threshold: { from: 26000, rate: 0.1 } },
  corporation: { rate: 0.3, smallRate: 0.25 },
};
