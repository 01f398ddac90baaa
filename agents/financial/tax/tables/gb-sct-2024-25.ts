import type { UkTable } from './table-types.ts';
import { gb2024 } from './gb-2024-25.ts';

export const gbSct2024: UkTable = {
  ...gb2024,
  sources: [
    {
      name: 'Scottish Parliament, Scottish Rate Resolution 2024-25',
      date: '2024-02',
      url: 'https://www.gov.scot/publications/scottish-income-tax-rates-and-bands/',
    },
    ...gb2024.sources,
  ],
  brackets: [
    [2306, 0.19],
    [13991, 0.2],
    [31092, 0.21],
    [62430, 0.42],
    [125140, 0.45],
    [null, 0.48],
  ],
};
