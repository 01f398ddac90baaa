import type { GermanyTable } from './table-types.ts';

export const de2026: GermanyTable = {
  year: '2026',
  period: '1 January to 31 December 2026',
  sources: [
    { name: 'Einkommensteuergesetz § 32a, as amended by the Steuerfortentwicklungsgesetz', date: '2024-12-23' },
    { name: 'Sozialversicherungsrechengrößen-Verordnung 2026', date: '2025-11' },
  ],
  tariff: {
    free: 12348,
    first: { upTo: 17799, a: 914.51, b: 1_400 },
    second: { upTo: 69878, a: 173.1, b: 2_397, c: 1034.87 },
    third: { upTo: 277825, rate: 0.42, less: 11135.63 },
    fourth: { rate: 0.45, less: 19470.38 },
  },
  solidarity: { rate: 0.055, taper: 0.119, free: 20350 },
  employeeLump: 1_230,
  specialExpenses: { lump: 36, ceiling: 1_900 },
  insurance: {
    pension: 0.093,
    unemployment: 0.013,
    pensionUpTo: 101400,
    health: { rate: 0.146, additional: 0.029 },
    care: { rate: 0.018, childless: 0.006, perChild: 0.0025 },
    healthUpTo: 69750,
  },
  corporation: { rate: 0.15, solidarity: 0.055 },
};
