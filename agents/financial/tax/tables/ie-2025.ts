import type { IrelandTable } from './table-types.ts';

export const ie2025: IrelandTable = {
  year: '2025',
  period: '1 January to 31 December 2025',
  sources: [
    { name: 'Finance Act 2024', date: '2024-11-12' },
    {
      name: 'Revenue Commissioners, tax rates, bands and reliefs',
      date: '2025',
      url: 'https://www.revenue.ie/en/personal-tax-credits-reliefs-and-exemptions/tax-relief-charts/index.aspx',
    },
    { name: 'Department of Social Protection, PRSI contribution rates (SW14)', date: '2025' },
  ],
  rates: { standard: 0.2, higher: 0.4 },
  bands: { single: 44000, married: 53000, secondEarner: 35000, singleParent: 48000 },
  credits: { personal: 2000, employee: 2000, singleParent: 1900 },
  socialCharge: {
    exemptUpTo: 13_000,
    brackets: [
      [12_012, 0.005],
      [27382, 0.02],
      [70_044, 0.03],
      [null, 0.08],
    ],
  },
  socialInsurance: {
    exemptUpTo: 352,
    credit: 12,
    rates: [
      [0.75, 0.041],
      [0.25, 0.042],
    ],
  },
  corporation: { rate: 0.125 },
};
