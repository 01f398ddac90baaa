import type { GermanyTable } from './table-types.ts';

export const de2024: GermanyTable = {
  year: '2024',
  period: '1 January to 31 December 2024',
  sources: [
    {
      name: 'Einkommensteuergesetz § 32a, as amended by the Gesetz zur steuerlichen Freistellung des Existenzminimums 2024',
      date: '2024-12-02',
    },
    { name: 'Sozialversicherungsrechengrößen-Verordnung 2024', date: '2023-11-24' },
  ],
  tariff: {
    free: 11784,
    first: { upTo: 17005, a: 954.8, b: 1_400 },
    second: { upTo: 66760, a: 181.19, b: 2_397, c: 991.21 },
    third: { upTo: 277825, rate: 0.42, less: 10636.31 },
    fourth: { rate: 0.45, less: 18971.06 },
  },
  solidarity: { rate: 0.055, taper: 0.119, free: 18130 },
  employeeLump: 1_230,
  specialExpenses: { lump: 36, ceiling: 1_900 },
  insurance: {
    pension: 0.093,
    unemployment: 0.013,
    pensionUpTo: 90600,
    health: { rate: 0.146, additional: 0.017 },
    care: { rate: 0.017, childless: 0.006, perChild: 0.0025 },
    healthUpTo: 62100,
  },
  corporation: { rate: 0.15, solidarity: 0.055 },
};
