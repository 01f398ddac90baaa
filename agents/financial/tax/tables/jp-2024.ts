import type { JapanTable } from './table-types.ts';

export const jp2024: JapanTable = {
  year: '2024',
  period: '1 January to 31 December 2024',
  sources: [
    {
      name: 'Income Tax Act (所得税法), articles 28, 86, 89; Special Measures Act, fixed tax reduction of 2024 (令和6年分定額減税)',
      date: '2024-03-30',
    },
    {
      name: 'National Tax Agency, Tax Answer No. 1199, 1410, 2260',
      date: '2024',
      url: 'https://www.nta.go.jp/taxes/shiraberu/taxanswer/shotoku/2260.htm',
    },
    { name: 'Local Tax Act (地方税法), articles 34, 37, 314-2, 314-6', date: '2024' },
  ],
  brackets: [
    [1950000, 0.05],
    [3300000, 0.1],
    [6950000, 0.2],
    [9000000, 0.23],
    [18000000, 0.33],
    [40000000, 0.4],
    [null, 0.45],
  ],
  employment: {
    least: { upTo: 1_625_000, deduction: 550_000 },
    steps: [
      [1_800_000, 0.4, -100_000],
      [3_600_000, 0.3, 80_000],
      [6_600_000, 0.2, 440_000],
      [8_500_000, 0.1, 1_100_000],
    ],
    most: 1_950_000,
    tabled: 6_600_000,
  },
  basicDeduction: [
    [24_000_000, 480_000],
    [24_500_000, 320_000],
    [25_000_000, 160_000],
  ],
  reconstruction: 0.021,
  fixedReduction: { amount: 30_000, upTo: 18_050_000 },
  inhabitant: {
    basicDeduction: [
      [24_000_000, 430_000],
      [24_500_000, 290_000],
      [25_000_000, 150_000],
    ],
    rates: [
      ['City', 0.06],
      ['Prefecture', 0.04],
    ],
    perHead: 5_000,
    exemptUpTo: 450_000,
    adjustment: { difference: 50_000, rate: 0.05, least: 2_500, from: 2_000_000, upTo: 25_000_000 },
  },
  corporation: { rate: 0.232, smallRate: 0.15, smallUpTo: 8_000_000, local: 0.103 },
};
