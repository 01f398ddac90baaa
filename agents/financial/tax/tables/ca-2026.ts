import type { CanadaTable } from './table-types.ts';

export const ca2026: CanadaTable = {
  year: '2026',
  period: '1 January to 31 December 2026',
  sources: [
    { name: 'Income Tax Act, sections 117, 118; Canada Revenue Agency, indexation adjustment 2026', date: '2025-11' },
    { name: 'Canada Revenue Agency, CPP and EI rates, maximums and exemptions 2026', date: '2025-11' },
  ],
  brackets: [
    [58523, 0.14],
    [117045, 0.205],
    [181440, 0.26],
    [258482, 0.29],
    [null, 0.33],
  ],
  creditRate: 0.14,
  basicAmount: { most: 16452, least: 14829, from: 181440, to: 258482 },
  employmentAmount: 1501,
  pension: { exempt: 3_500, upTo: 74600, baseRate: 0.0495, enhancedRate: 0.01, secondRate: 0.04, secondUpTo: 85000 },
  insurance: { rate: 0.0163, upTo: 68900 },
  corporation: { rate: 0.15, smallRate: 0.09, smallUpTo: 500_000 },
};
