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

/** A table that comes with the request, or a document of the knowledge base. */
const tableName = z.string().trim().min(1).max(100).optional().describe('What the table is called in the answer');
const Source = z.union([
  z.strictObject({
    document: z
      .string()
      .trim()
      .min(1)
      .max(512)
      .describe('A document that the person may read, or a file attached to the conversation: its id or whole name'),
  }),
  z.strictObject({ csv: z.string().min(1).max(900_000).describe('The text of a CSV file'), name: tableName }),
  z.strictObject({
    json: z
      .union([z.array(z.json()), z.record(z.string(), z.json())])
      .describe('Rows with the same keys, like [{"item": "Revenue", "2024": 100}], or an object of such lists'),
    name: tableName,
  }),
]);
export type Source = z.output<typeof Source>;
const sources = (what: string) => z.array(Source).min(1).max(6).describe(what);

/** A source in words. */
export const shownSource = (source: Source): string =>
  'document' in source ? source.document : (source.name ?? ('csv' in source ? 'a CSV text' : 'a JSON value'));

const decimalMark = z
  .enum(['.', ','])
  .optional()
  .describe('The decimal mark of the amounts. Needed only where the amounts do not show it');
const dateOrder = z
  .enum(['dmy', 'mdy'])
  .optional()
  .describe('The order of day and month in dates like 3/4/2025. Needed only where the dates do not show it');
const share = z.number().positive().max(100);

/** What statements are analysed from. */
export const AnalysisInput = z.strictObject({
  statements: sources('Income statement, balance sheet and cash flow statement, in one table or several'),
  decimalMark,
  dateOrder,
  scale: z
    .union([1, 1_000, 100_000, 1_000_000, 10_000_000, 1_000_000_000].map((one) => z.literal(one)))
    .optional()
    .describe('What the amounts are multiples of, where the tables do not say it: 1000 for thousands'),
  burnMonths: z.int().min(1).max(24).default(3).describe('Months over which the use of cash is averaged'),
  limits: z
    .strictObject({
      change: share.optional().describe('Change against the period before, as a share; default 0.5'),
      deviation: z
        .number()
        .min(1)
        .max(100)
        .optional()
        .describe('Of many periods: times the usual deviation; default 5'),
      marginSwing: share.optional().describe('Change of the gross margin, as a share; default 0.1'),
      outgrowth: share.optional().describe('Receivables or inventory faster than sales, as a share; default 0.2'),
      currentRatio: share.optional().describe('default 1'),
      interestCoverage: share.optional().describe('default 1.5'),
      runwayMonths: z.number().positive().max(120).optional().describe('default 6'),
    })
    .optional()
    .describe('From where on something is reported as an anomaly'),
  charts: z.boolean().default(true).describe('false: draw no charts'),
});
export type AnalysisInput = z.output<typeof AnalysisInput>;

/** What a column of transactions may hold. */
export const transactionFields = [
  'date',
  'supplier',
  'customer',
  'invoice',
  'gross',
  'net',
  'tax',
  'taxRate',
  'debit',
  'credit',
  'currency',
  'supplierTaxId',
  'customerTaxId',
  'method',
  'description',
  'account',
  'approvedBy',
] as const;
const day = z.iso.date();
const money = z.number().positive().max(1e12);

/** What transactions are checked against. */
export const ComplianceInput = z.strictObject({
  transactions: sources('Payments, invoices or bookings: one row each, below a row with the names of the columns'),
  place: z
    .enum(placeIds)
    .optional()
    .describe(
      'Whose rules apply: limits of cash, fields of invoices, rates, tax numbers, holidays. Default: none of these',
    ),
  direction: z
    .enum(['purchases', 'sales'])
    .default('purchases')
    .describe('sales: invoices of your own, numbered without gaps'),
  columns: z
    .partialRecord(z.enum(transactionFields), z.string().min(1).max(200))
    .optional()
    .describe('What columns with names of their own are, like {"gross": "Endbetrag"}'),
  required: z
    .array(z.enum(transactionFields))
    .max(transactionFields.length)
    .default([])
    .describe('Fields that every row must have'),
  today: day.optional().describe('Rows after this day are in the future. Default: today'),
  from: day.optional().describe('First day of the period'),
  to: day.optional().describe('Last day of the period'),
  decimalMark,
  dateOrder,
  limits: z
    .strictObject({
      cashLimit: money.optional().describe('In place of the limit of the place'),
      approvalLimits: z.array(money).max(5).optional().describe('Amounts from which on a payment needs an approval'),
      nearShare: z
        .number()
        .positive()
        .max(0.5)
        .optional()
        .describe('So near below such a limit stands out; default 0.05'),
      splitDays: z.int().min(0).max(31).optional().describe('Days within which payments belong together; default 7'),
      splitShare: z.number().min(0).max(1).optional().describe('Least share of the limit of each part; default 0.5'),
      duplicateDays: z
        .int()
        .min(0)
        .max(92)
        .optional()
        .describe('Days within which one amount may be one payment; default 7'),
      roundTo: money.optional().describe('Multiples of it are round; default 1000'),
      roundCount: z
        .int()
        .min(2)
        .max(1000)
        .optional()
        .describe('So many round amounts of one party stand out; default 3'),
      taxTolerance: z.number().min(0).max(100).optional().describe('What rounding may do to a tax; default 0.02'),
    })
    .optional(),
});
export type ComplianceInput = z.output<typeof ComplianceInput>;

/** What a typed request may ask, and the tool that answers it. */
export const intents = {
  TAX_CALCULATION: intent({
    tool: 'calculate_tax',
    input: TaxInput,
    ask: ({ places, income, year }) => `What tax on ${income} in ${places.join(', ')}${inYear(year)}?`,
  }),
  RATE_SHEET_LOOKUP: intent({
    tool: 'show_rates',
    input: RatesInput,
    ask: ({ places, year }) => `Which tax rates apply in ${places.join(', ')}${inYear(year)}?`,
  }),
  FINANCIAL_ANALYSIS: intent({
    tool: 'analyse_statements',
    input: AnalysisInput,
    ask: ({ statements }) => `Analyse the statements of ${statements.map(shownSource).join(', ')}.`,
  }),
  TAX_COMPLIANCE_CHECK: intent({
    tool: 'check_transactions',
    input: ComplianceInput,
    ask: ({ transactions, place }) =>
      `Check the transactions of ${transactions.map(shownSource).join(', ')}${place === undefined ? '' : ` against the rules of ${place}`}.`,
  }),
};

const inYear = (year: string | undefined): string => (year === undefined ? '' : `, ${year}`);
