import type { CanadaTable } from './table-types.ts';

export const ca2025: CanadaTable = {
  year: '2025',
  period: '1 January to 31 December 2025',
  sources: [
    { name: 'Income Tax Act, sections 117, 118; lowest rate of 14.5 % for 2025 (14 % from July)', date: '2025' },
    { name: 'Canada Revenue Agency, CPP and EI rates, maximums and exemptions 2025', date: '2024-11' },
  ],
  brackets: [
    [57375, 0.145],
    [114750, 0.205],
    [177882, 0.26],
    [253414, 0.29],
    [null, 0.33],
  ],
  creditRate: 0.145,
  basicAmount: { most: 16129, least: 14538, from: 177882, to: 253414 },
  employmentAmount: 1471,
  pension: { exempt: 3_500, upTo: 71300, baseRate: 0.0495, enhancedRate: 0.01, secondRate: 0.04, secondUpTo: 81200 },
  insurance: { rate: 0.0164, upTo: 65700 },
  corporation: { rate: 0.15, smallRate: 0.09, smallUpTo: 500_000 },
};
