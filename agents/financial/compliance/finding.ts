import type { Source } from './data/places.ts';
import { fields, type Field } from './data/columns.ts';
import { cellText, type Ledger, type Transaction } from './transactions.ts';
import { addressOf } from '../tables/cells.ts';

export type Severity = 'high' | 'medium' | 'low';

type RowOf = Pick<Transaction, 'table' | 'row'>;

/** What a rule found: `rows` are the evidence, in the order of their tables. `shows`: the columns that it is about. */
export type Finding = {
  rule: string;
  severity: Severity;
  /** What is wrong, with the figures. */
  finding: string;
  /** What to do about it. */
  action: string;
  rows: readonly RowOf[];
  shows: readonly Field[];
  source?: Source;
};

/** How often what counts as odd: a request can change each. Amounts are in the currency of the place. */
export type ComplianceLimits = {
  /** In place of the limits of the place. */
  cashLimit?: number | undefined;
  /** From these amounts on a payment needs an approval. */
  approvalLimits: readonly number[];
  /** So near below a limit a payment stands out, as a share. */
  nearShare: number;
  /** Payments of one party within so many days belong together. */
  splitDays: number;
  /** A part of a split payment is at least this share of the limit. */
  splitShare: number;
  /** Payments of one party and one amount within so many days may be the same. */
  duplicateDays: number;
  /** Amounts that are multiples of it are round. */
  roundTo: number;
  /** So many round amounts of one party stand out, when they are at least half of its amounts. */
  roundCount: number;
  /** A tax may differ by rounding. */
  taxTolerance: number;
};

export const usualComplianceLimits: ComplianceLimits = {
  approvalLimits: [],
  nearShare: 0.05,
  splitDays: 7,
  splitShare: 0.5,
  duplicateDays: 7,
  roundTo: 1_000,
  roundCount: 3,
  taxTolerance: 0.02,
};

/** A row for people: its cells that the finding is about, with their addresses. */
export function shownRow(ledger: Ledger, at: RowOf, shows: readonly Field[]): string {
  const own = ledger.tables[at.table];
  const shown = fields.flatMap((field) => {
    const column = own?.columns.get(field);
    const text = cellText(ledger, at, field);
    return column !== undefined && shows.includes(field) && text !== '' ? [`${addressOf(at.row, column)} ${text}`] : [];
  });
  return `${own?.table.name} row ${at.row}${shown.length > 0 ? `: ${shown.join(', ')}` : ''}`;
}
