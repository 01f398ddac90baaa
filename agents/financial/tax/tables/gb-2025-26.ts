import type { UkTable } from './table-types.ts';

export const gb2025: UkTable = {
  year: '2025-26',
  period: '6 April 2025 to 5 April 2026',
  sources: [
    {
      name: 'Finance Act 2025 and Income Tax Act 2007, sections 10, 35 (frozen by Finance Act 2021, section 5)',
      date: '2025-03-20',
    },
    {
      name: 'HMRC, Rates and thresholds for employers 2025 to 2026',
      date: '2025',
      url: 'https://www.gov.uk/guidance/rates-and-thresholds-for-employers-2025-to-2026',
    },
  ],
  brackets: [
    [37_700, 0.2],
    [125_140, 0.4],
    [null, 0.45],
  ],
  personalAllowance: { amount: 12_570, taperFrom: 100_000 },
  nationalInsurance: { from: 12_570, mainRate: 0.08, upTo: 50_270, upperRate: 0.02 },
  corporation: { small: { rate: 0.19, upTo: 50_000 }, rate: 0.25, relief: { fraction: 0.015, upTo: 250_000 } },
};
