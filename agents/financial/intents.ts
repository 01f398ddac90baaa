import { z } from 'zod';
import { intent } from '../intents.ts';

/** The places whose tables `tax/tables/` has. A state or province includes the taxes of its country. */
export const placeIds = [
  'us',
  'us-ca',
  'us-ny',
  'us-tx',
  'us-fl',
  'gb',
  'gb-sct',
  'ca',
  'ca-on',
  'au',
  'sg',
  'jp',
  'in',
  'de',
  'fr',
  'ie',
] as const;
export type PlaceId = (typeof placeIds)[number];

const places = z
  .array(z.enum(placeIds))
  .min(1)
  .max(6)
  .describe(
    'Where the tax is due. us: federal only; us-ca, us-ny, us-tx, us-fl: federal and state; gb: England, Wales and Northern Ireland; gb-sct: Scotland; ca: federal only; ca-on: federal and Ontario',
  );

const year = z
  .string()
  .regex(/^\d{4}(?:[-/]\d{2,4})?$/)
  .describe('The tax year, as "2025", or "2025-26" where a year begins in spring or summer. Default: the latest known');

const amount = z
  .union([z.number().min(0).max(1e12), z.string().regex(/^\d{1,12}(?:\.\d{1,4})?$/)])
  .describe('In the currency of the place, as 180000 or "180000.50"');

/** What a tax is worked out from. */
export const TaxInput = z.strictObject({
  places,
  year: year.optional(),
  entity: z.enum(['individual', 'corporation']).default('individual').describe('Who owes the tax'),
  income: amount.describe('Of an individual: gross wages of the year. Of a corporation: taxable profit'),
  currency: z
    .string()
    .regex(/^[A-Z]{3}$/)
    .optional()
    .describe('Currency of the amounts. Nothing is converted: another currency than that of a place is refused'),
  status: z
    .enum(['single', 'married', 'separate', 'head'])
    .default('single')
    .describe(
      'single; married: both together, where a place assesses couples together; separate: married and filing separately; head: US head of household, single parent elsewhere',
    ),
  partnerIncome: amount.optional().describe('Gross wages of the other of a couple that is assessed together'),
  children: z.int().min(0).max(20).default(0).describe('Children or other dependants'),
  age: z.int().min(0).max(130).optional().describe('Age at the end of the tax year. Default: below any age limit'),
  otherIncome: amount.optional().describe('Other income that is taxed as wages are and bears no contributions'),
  deductions: amount.optional().describe('Further deductions from taxable income that the person has established'),
  credits: amount.optional().describe('Further credits against the income tax, not refunded'),
  regime: z.enum(['new', 'old']).default('new').describe('Of an individual in India'),
  smallCompany: z
    .boolean()
    .default(false)
    .describe('Of a corporation: a small company, where a place has a lower rate for it'),
});
export type TaxInput = z.output<typeof TaxInput>;

/** Whose rates are shown. */
export const RatesInput = z.strictObject({ places, year: year.optional() });
export type RatesInput = z.output<typeof RatesInput>;

/** What a typed request may ask, and the tool that answers it. */
export const intents = {
  TAX_CALCULATION: intent({
    tool: 'calculate_tax',
    input: TaxInput,
    ask: ({ places, income, year }) => `What tax on ${income} in ${places.join(', ')}${inYear(year)}?`,
  }),
  RATE_SHEET_LOOKUP: intent({
    tool: 'look_up_rates',
    input: RatesInput,
    ask: ({ places, year }) => `Which tax rates apply in ${places.join(', ')}${inYear(year)}?`,
  }),
};

const inYear = (year: string | undefined): string => (year === undefined ? '' : `, ${year}`);
