import type { IndiaTable } from './table-types.ts';

export const in2025: IndiaTable = {
  year: '2025-26',
  period: '1 April 2025 to 31 March 2026 (assessment year 2026-27)',
  sources: [
    { name: 'Income-tax Act, 1961, sections 16, 87A, 115BAC, as amended by the Finance Act, 2025', date: '2025-03-29' },
  ],
  new: {
    brackets: [
      [400000, 0],
      [800000, 0.05],
      [1200000, 0.1],
      [1600000, 0.15],
      [2000000, 0.2],
      [2400000, 0.25],
      [null, 0.3],
    ],
    standardDeduction: 75_000,
    rebate: { upTo: 1_200_000, atMost: 60_000, hasRelief: true },
    surcharge: [
      [5_000_000, 0.1],
      [10_000_000, 0.15],
      [20_000_000, 0.25],
    ],
  },
  old: {
    brackets: [
      [250_000, 0],
      [500_000, 0.05],
      [1_000_000, 0.2],
      [null, 0.3],
    ],
    olderBrackets: [
      [
        60,
        [
          [300_000, 0],
          [500_000, 0.05],
          [1_000_000, 0.2],
          [null, 0.3],
        ],
      ],
      [
        80,
        [
          [500_000, 0],
          [1_000_000, 0.2],
          [null, 0.3],
        ],
      ],
    ],
    standardDeduction: 50_000,
    rebate: { upTo: 500_000, atMost: 12_500, hasRelief: false },
    surcharge: [
      [5_000_000, 0.1],
      [10_000_000, 0.15],
      [20_000_000, 0.25],
      [50_000_000, 0.37],
    ],
  },
  cess: 0.04,
  corporation: { rate: 0.22, surcharge: 0.1 },
};
