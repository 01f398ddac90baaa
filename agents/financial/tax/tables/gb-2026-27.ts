import type { UkTable } from './table-types.ts';

export const gb2026: UkTable = {
  year: '2026-27',
  period: '6 April 2026 to 5 April 2027',
  sources: [
    {
      name: 'Finance Act 2023, section 5, and Income Tax Act 2007, sections 10, 35 (thresholds frozen to April 2028)',
      date: '2023-01-10',
    },
    {
      name: 'HMRC, Rates and thresholds for employers 2026 to 2027',
      date: '2026',
      url: 'https://www.gov.uk/guidance/rates-and-thresholds-for-employers-2026-to-2027',
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
