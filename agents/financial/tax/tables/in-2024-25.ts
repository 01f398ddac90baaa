import type { IndiaTable } from './table-types.ts';

export const in2024: IndiaTable = {
  year: '2024-25',
  period: '1 April 2024 to 31 March 2025 (assessment year 2025-26)',
  sources: [
    {
      name: 'Income-tax Act, 1961, sections 16, 87A, 115BAC, as amended by the Finance (No. 2) Act, 2024',
      date: '2024-08-16',
    },
  ],
  new: {
    brackets: [
      [300000, 0],
      [700000, 0.05],
      [1000000, 0.1],
      [1200000, 0.15],
      [1500000, 0.2],
      [null, 0.3],
    ],
    standardDeduction: 75_000,
    rebate: { upTo: 700_000, atMost: 25_000, hasRelief: true },
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
