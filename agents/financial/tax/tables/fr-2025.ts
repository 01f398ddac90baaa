import type { FranceTable } from './table-types.ts';

export const fr2025: FranceTable = {
  year: '2025',
  period: 'Income of 2025, taxed in 2026',
  sources: [
    { name: 'Loi de finances pour 2026', date: '2026-02' },
    { name: 'Code général des impôts, articles 83, 193, 197, 219, 223 sexies', date: '2025' },
  ],
  brackets: [
    [11600, 0],
    [29579, 0.11],
    [84577, 0.3],
    [181917, 0.41],
    [null, 0.45],
  ],
  expenses: { rate: 0.1, least: 509, most: 14555 },
  cap: { half: 1807, firstOfSingleParent: 4262 },
  decote: { single: { base: 897, rate: 0.4525 }, married: { base: 1483, rate: 0.4525 } },
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
