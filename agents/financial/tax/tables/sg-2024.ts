import type { SingaporeTable } from './table-types.ts';

export const sg2024: SingaporeTable = {
  year: '2024',
  period: 'Year of assessment 2024: the income of 2023',
  sources: [
    { name: 'Income Tax Act 1947, Second Schedule, Part A (rates from year of assessment 2024)', date: '2022' },
    {
      name: 'Inland Revenue Authority of Singapore, individual income tax rates',
      date: '2025',
      url: 'https://www.iras.gov.sg/taxes/individual-income-tax/basics-of-individual-income-tax/tax-residency-and-tax-rates/individual-income-tax-rates',
    },
    { name: 'Ministry of Finance, Budget 2024: personal income tax rebate', date: '2024-02-16' },
  ],
  brackets: [
    [20000, 0],
    [30000, 0.02],
    [40000, 0.035],
    [80000, 0.07],
    [120000, 0.115],
    [160000, 0.15],
    [200000, 0.18],
    [240000, 0.19],
    [280000, 0.195],
    [320000, 0.2],
    [500000, 0.22],
    [1000000, 0.23],
    [null, 0.24],
  ],
  earnedIncomeRelief: [
    [0, 1_000],
    [55, 6_000],
    [60, 8_000],
  ],
  rebate: { rate: 0.5, atMost: 200 },
  corporation: {
    rate: 0.17,
    exempt: [
      [10_000, 0.75],
      [200_000, 0.5],
    ],
  },
};
