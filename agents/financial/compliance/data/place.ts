import type { DateOrder } from '../../tables/dates.ts';
import type { Field } from './columns.ts';

/** Where a rule is written down, and the day whose state of the law it has. */
export type Source = { law: string; asOf: string };

/** A limit of payments in cash. `from`: the limit itself counts too; else only what is above it. */
export type CashLimit = { amount: string; currency: string; from: boolean; duty: string; source: Source };

/** Rates in percent from a day on, until the next entry of the list. */
export type Rates = { since: string; percents: readonly string[]; source: Source };

export type Place = {
  name: string;
  currency: string;
  dateOrder: DateOrder;
  /** For the calendar of holidays: country, and state where it has days of its own. */
  holidays: readonly [string, string?];
  /** The country whose tax numbers suppliers have: see tax-ids.ts. Absent: numbers are not checked. */
  taxIds?: string;
  cash: readonly CashLimit[];
  /** Of value added, goods and services, or consumption tax; the oldest first. */
  rates: readonly Rates[];
  /** What an invoice has to show. `simpleUpTo`: the gross amount up to which `simple` is enough. */
  invoice?: { needs: readonly Field[]; simple: readonly Field[]; simpleUpTo: string; source: Source };
};

/** The state of the law that the rules of all places have. */
export const asOf = '2025-12-31';
export const fullInvoice: readonly Field[] = ['date', 'invoice', 'supplier', 'supplierTaxId', 'net', 'taxRate', 'tax'];
export const shortInvoice: readonly Field[] = ['date', 'supplier', 'gross'];
