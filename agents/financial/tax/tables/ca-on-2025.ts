import type { OntarioTable } from './table-types.ts';

export const caOn2025: OntarioTable = {
  year: '2025',
  period: '1 January to 31 December 2025',
  sources: [{ name: 'Ontario, Taxation Act, 2007; Canada Revenue Agency, Form ON428 for 2025', date: '2025' }],
  brackets: [
    [52886, 0.0505],
    [105775, 0.0915],
    [150000, 0.1116],
    [220000, 0.1216],
    [null, 0.1316],
  ],
  creditRate: 0.0505,
  basicAmount: 12747,
  surtax: [
    [0.2, 5710],
    [0.36, 7307],
  ],
  reduction: { basic: 294, child: 544 },
  healthPremium: [
    [20_000, 0.06, 300],
    [36_000, 0.06, 450],
    [48_000, 0.25, 600],
    [72_000, 0.25, 750],
    [200_000, 0.25, 900],
  ],
  corporation: { rate: 0.115, smallRate: 0.032, smallUpTo: 500_000 },
};
