import type { StateTable } from './table-types.ts';

export const usFl2026: StateTable = {
  year: '2026',
  period: '1 January to 31 December 2026',
  sources: [
    {
      name: 'Constitution of Florida, article VII, section 5: no tax on the income of natural persons',
      date: '1968-11-05',
    },
    { name: 'Florida Statutes §§ 220.11, 220.14: 5.5 % on corporations, 50,000 exempt', date: '2022-01-01' },
  ],
  corporation: { rate: 0.055, exempt: 50_000 },
};
