import type { CanadaTable } from './table-types.ts';

export const ca2024: CanadaTable = {
  year: '2024',
  period: '1 January to 31 December 2024',
  sources: [
    { name: 'Income Tax Act, sections 117, 118; Canada Revenue Agency, indexation adjustment 2024', date: '2023' },
    {
      name: 'Canada Revenue Agency, CPP and EI rates, maximums and exemptions 2024',
      date: '2023-11',
      url: 'https://www.canada.ca/en/revenue-agency/services/tax/businesses/topics/payroll/payroll-deductions-contributions/canada-pension-plan-cpp/cpp-contribution-rates-maximums-exemptions.html',
    },
  ],
  brackets: [
    [55867, 0.15],
    [111733, 0.205],
    [173205, 0.26],
    [246752, 0.29],
    [null, 0.33],
  ],
  creditRate: 0.15,
  basicAmount: { most: 15705, least: 14156, from: 173205, to: 246752 },
  employmentAmount: 1433,
  pension: { exempt: 3_500, upTo: 68500, baseRate: 0.0495, enhancedRate: 0.01, secondRate: 0.04, secondUpTo: 73200 },
  insurance: { rate: 0.0166, upTo: 63200 },
  corporation: { rate: 0.15, smallRate: 0.09, smallUpTo: 500_000 },
};
