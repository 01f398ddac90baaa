import type { OntarioTable } from './table-types.ts';

export const caOn2024: OntarioTable = {
  year: '2024',
  period: '1 January to 31 December 2024',
  sources: [{ name: 'Ontario, Taxation Act, 2007; Canada Revenue Agency, Form ON428 for 2024', date: '2024' }],
  brackets: [
    [51446, 0.0505],
    [102894, 0.0915],
    [150000, 0.1116],
    [220000, 0.1216],
    [null, 0.1316],
  ],
  creditRate: 0.0505,
  basicAmount: 12399,
  surtax: [
    [0.2, 5554],
    [0.36, 7108],
  ],
  reduction: { basic: 286, child: 529 },
  healthPremium: [
    [20_000, 0.06, 300],
    [36_000, 0.06, 450],
    [48_000, 0.25, 600],
    [72_000, 0.25, 750],
    [200_000, 0.25, 900],
  ],
  corporation: { rate: 0.115, smallRate: 0.032, smallUpTo: 500_000 },
};
