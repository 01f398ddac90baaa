import type { UkTable } from './table-types.ts';

export const gb2024: UkTable = {
  year: '2024-25',
  period: '6 April 2024 to 5 April 2025',
  sources: [
    {
      name: 'Finance Act 2024 and Income Tax Act 2007, sections 10, 35 (frozen by Finance Act 2021, section 5)',
      date: '2024-02-22',
    },
    { name: 'National Insurance Contributions (Reduction in Rates) Act 2024', date: '2024-03' },
    {
      name: 'HMRC, Rates and thresholds for employers 2024 to 2025',
      date: '2024',
      url: 'https://www.gov.uk/guidance/rates-and-thresholds-for-employers-2024-to-2025',
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
