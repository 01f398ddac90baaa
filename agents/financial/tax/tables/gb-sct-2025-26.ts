import type { UkTable } from './table-types.ts';
import { gb2025 } from './gb-2025-26.ts';

export const gbSct2025: UkTable = {
  ...gb2025,
  sources: [
    {
      name: 'Scottish Parliament, Scottish Rate Resolution 2025-26',
      date: '2025-02',
      url: 'https://www.gov.scot/publications/scottish-income-tax-rates-and-bands/',
    },
    ...gb2025.sources,
  ],
  brackets: [
    [2827, 0.19],
    [14921, 0.2],
    [31092, 0.21],
    [62430, 0.42],
    [125140, 0.45],
    [null, 0.48],
  ],
};
