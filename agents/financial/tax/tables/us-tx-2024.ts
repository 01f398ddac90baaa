import type { StateTable } from './table-types.ts';

export const usTx2024: StateTable = {
  year: '2024',
  period: '1 January to 31 December 2024',
  sources: [
    {
      name: 'Constitution of Texas, article VIII, section 24-a: no tax on the net incomes of individuals',
      date: '2019-11-05',
    },
  ],
};
