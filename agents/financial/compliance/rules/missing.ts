import { Decimal } from 'decimal.js';
import type { Field } from '../data/columns.ts';
import type { Finding } from '../finding.ts';
import { cellText, type Transaction } from '../transactions.ts';
import { isEmptyCell } from '../../tables/numbers.ts';
import { isIn, rowsWith, type Checked, type Rule } from './rule.ts';

const fieldName: Partial<Record<Field, string>> = {
  supplierTaxId: 'tax number of the supplier',
  customerTaxId: 'tax number of the customer',
  invoice: 'invoice number',
  gross: 'amount',
  net: 'net amount',
  tax: 'amount of tax',
  taxRate: 'tax rate',
  method: 'payment method',
  approvedBy: 'approval',
};
export const nameOf = (field: Field): string => fieldName[field] ?? field;

/** Fields that an invoice has to show, or that the request asks for, and that are empty. */
export const findMissing: Rule = function* (checked) {
  const { ledger, place, required } = checked;
  for (const [table, { columns, table: sheet }] of ledger.tables.entries()) {
    const own = yield* rowsWith(ledger.transactions, (one) => one.table === table);
    const asked = new Set<Field>(['date', 'gross', ...required, ...(place?.invoice?.needs ?? [])]);
    for (const field of asked) {
      const isRequired = required.includes(field);
      const needing = yield* rowsWith(own, (one) => isRequired || isNeeded(checked, one, field));
      if (needing.length === 0) continue;
      const law = isRequired ? undefined : place?.invoice?.source;
      const source = law ? { source: law } : {};
      if (!columns.has(field) && !isGiven(field, columns)) {
        yield {
          rule: 'missing-column',
          severity: isRequired ? 'high' : 'medium',
          finding: `${sheet.name} has no column for the ${nameOf(field)}`,
          action: 'Add the column, or say in `columns` what it is called.',
          rows: [],
          shows: [],
          ...source,
        };
        continue;
      }
      const rows = yield* rowsWith(needing, (one) => isEmpty(checked, one, field));
      if (rows.length === 0) continue;
      yield {
        rule: 'missing-field',
        severity: isRequired || field === 'supplierTaxId' || field === 'invoice' ? 'medium' : 'low',
        finding: `${rows.length} row(s) have no ${nameOf(field)}`,
        action: `Get a complete invoice, or enter the ${nameOf(field)}; without it input tax may be refused.`,
        rows,
        shows: ['supplier', 'customer', 'invoice', 'gross', 'net'],
        ...source,
      };
    }
  }
};

/** What an invoice of this amount has to show. A date and an amount always. */
function isNeeded({ place }: Checked, one: Transaction, field: Field): boolean {
  if (field === 'date' || field === 'gross') return true;
  const rules = place?.invoice;
  if (!rules || !isIn(place.currency, one, place.currency)) return false;
  const isSimple = one.amount !== undefined && one.amount.abs().lte(new Decimal(rules.simpleUpTo));
  return (isSimple ? rules.simple : rules.needs).includes(field);
}

/** Whether other columns say the same. */
function isGiven(field: Field, columns: ReadonlyMap<Field, number>): boolean {
  if (field === 'gross') return columns.has('net') || columns.has('debit') || columns.has('credit');
  if (field === 'net') return columns.has('gross') && columns.has('tax');
  if (field === 'taxRate') return columns.has('net') && columns.has('tax');
  return field === 'supplier' && columns.has('customer');
}

function isEmpty({ ledger }: Checked, one: Transaction, field: Field): boolean {
  if (!isEmptyCell(cellText(ledger, one, field))) return false;
  if (field === 'gross') return one.amount === undefined && (one.net === undefined || one.tax === undefined);
  if (field === 'net') return !(one.gross && one.tax);
  if (field === 'taxRate') return !(one.net && one.tax);
  if (field === 'supplier') return one.party === '';
  return true;
}

/** Cells in place of an amount or a day that are none. */
export const findUnreadable: Rule = function* ({ ledger }) {
  const byField = Map.groupBy(ledger.unreadable, ({ field }) => field);
  for (const [field, rows] of byField)
    yield {
      rule: field === 'date' ? 'unreadable-date' : 'unreadable-amount',
      severity: 'high',
      finding: `${rows.length} row(s) have something else than ${field === 'date' ? 'a day' : 'a number'} as ${nameOf(field)}`,
      action: 'Correct the cells and check again: no other rule reads them.',
      rows,
      shows: [field],
    } satisfies Finding;
};
