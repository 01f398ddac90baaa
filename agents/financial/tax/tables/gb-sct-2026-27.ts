import type { UkTable } from './table-types.ts';
import { gb2026 } from './gb-2026-27.ts';

export const gbSct2026: UkTable = {
  ...gb2026,
  sources: [
    {
      name: 'Scottish Parliament, Scottish Rate Resolution 2026-27 (bands of the Scottish Budget)',
      date: '2026-01-13',
      url: 'https://www.gov.scot/publications/scottish-income-tax-rates-and-bands/',
    },
    ...gb2026.sources,
  ],
  brackets: [
    [3967, 0.19],
    [16956, 0.2],
    [31092, 0.21],
    [62430, 0.42],
    [125140, 0.45],
    [null, 0.48],
  ],
};
