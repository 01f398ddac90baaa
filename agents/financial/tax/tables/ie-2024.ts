import type { IrelandTable } from './table-types.ts';

export const ie2024: IrelandTable = {
  year: '2024',
  period: '1 January to 31 December 2024',
  sources: [
    { name: 'Finance (No. 2) Act 2023', date: '2023-12-18' },
    {
      name: 'Revenue Commissioners, tax rates, bands and reliefs',
      date: '2024',
      url: 'https://www.revenue.ie/en/personal-tax-credits-reliefs-and-exemptions/tax-relief-charts/index.aspx',
    },
    { name: 'Department of Social Protection, PRSI contribution rates (SW14)', date: '2024' },
  ],
  rates: { standard: 0.2, higher: 0.4 },
  bands: { single: 42000, married: 51000, secondEarner: 33000, singleParent: 46000 },
  credits: { personal: 1875, employee: 1875, singleParent: 1750 },
  socialCharge: {
    exemptUpTo: 13_000,
    brackets: [
      [12_012, 0.005],
      [25760, 0.02],
      [70_044, 0.04],
      [null, 0.08],
    ],
  },
  socialInsurance: {
    exemptUpTo: 352,
    credit: 12,
    rates: [
      [0.75, 0.04],
      [0.25, 0.041],
    ],
  },
  corporation: { rate: 0.125 },
};
