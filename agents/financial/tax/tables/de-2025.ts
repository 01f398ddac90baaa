import type { GermanyTable } from './table-types.ts';

export const de2025: GermanyTable = {
  year: '2025',
  period: '1 January to 31 December 2025',
  sources: [
    { name: 'Einkommensteuergesetz § 32a, as amended by the Steuerfortentwicklungsgesetz', date: '2024-12-23' },
    { name: 'Sozialversicherungsrechengrößen-Verordnung 2025', date: '2024-11' },
  ],
  tariff: {
    free: 12096,
    first: { upTo: 17443, a: 932.3, b: 1_400 },
    second: { upTo: 68480, a: 176.64, b: 2_397, c: 1015.13 },
    third: { upTo: 277825, rate: 0.42, less: 10911.92 },
    fourth: { rate: 0.45, less: 19246.67 },
  },
  solidarity: { rate: 0.055, taper: 0.119, free: 19950 },
  employeeLump: 1_230,
  specialExpenses: { lump: 36, ceiling: 1_900 },
  insurance: {
    pension: 0.093,
    unemployment: 0.013,
    pensionUpTo: 96600,
    health: { rate: 0.146, additional: 0.025 },
    care: { rate: 0.018, childless: 0.006, perChild: 0.0025 },
    healthUpTo: 66150,
  },
  corporation: { rate: 0.15, solidarity: 0.055 },
};
