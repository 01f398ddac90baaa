import type { FranceTable } from './table-types.ts';

export const fr2023: FranceTable = {
  year: '2023',
  period: 'Income of 2023, taxed in 2024',
  sources: [
    { name: 'Loi de finances pour 2024 (n° 2023-1322), article 2', date: '2023-12-29' },
    { name: 'Code général des impôts, articles 83, 193, 197, 219, 223 sexies', date: '2025' },
  ],
  brackets: [
    [11294, 0],
    [28797, 0.11],
    [82341, 0.3],
    [177106, 0.41],
    [null, 0.45],
  ],
  expenses: { rate: 0.1, least: 495, most: 14171 },
  cap: { half: 1759, firstOfSingleParent: 4149 },
  decote: { single: { base: 873, rate: 0.4525 }, married: { base: 1444, rate: 0.4525 } },
  leastCollected: 61,
  highIncome: {
    single: [
      [250_000, 0],
      [500_000, 0.03],
      [null, 0.04],
    ],
    married: [
      [500_000, 0],
      [1_000_000, 0.03],
      [null, 0.04],
    ],
  },
  corporation: { rate: 0.25, smallRate: 0.15, smallUpTo: 42_500 },
};
