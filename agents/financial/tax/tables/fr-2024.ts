import type { FranceTable } from './table-types.ts';

export const fr2024: FranceTable = {
  year: '2024',
  period: 'Income of 2024, taxed in 2025',
  sources: [
    { name: 'Loi de finances pour 2025 (n° 2025-127), article 2', date: '2025-02-14' },
    { name: 'Code général des impôts, articles 83, 193, 197, 219, 223 sexies', date: '2025' },
  ],
  brackets: [
    [11497, 0],
    [29315, 0.11],
    [83823, 0.3],
    [180294, 0.41],
    [null, 0.45],
  ],
  expenses: { rate: 0.1, least: 504, most: 14426 },
  cap: { half: 1791, firstOfSingleParent: 4224 },
  decote: { single: { base: 889, rate: 0.4525 }, married: { base: 1470, rate: 0.4525 } },
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
