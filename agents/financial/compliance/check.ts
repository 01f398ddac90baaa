import { createPause } from '../../../runtime/create-pause.ts';
import type { Table } from '../tables/cells.ts';
import type { PlaceId } from '../intents.ts';
import type { Field } from './data/columns.ts';
import { places, type Place } from './data/places.ts';
import { usualComplianceLimits, type ComplianceLimits, type Finding } from './finding.ts';
import { readTransactions, type TransactionOptions } from './read-transactions.ts';
import { findOddDates } from './rules/dates.ts';
import { findDuplicates } from './rules/duplicates.ts';
import { findApprovals, findCash, findRoundAmounts } from './rules/limits.ts';
import { findMissing, findUnreadable } from './rules/missing.ts';
import { findNumberGaps } from './rules/numbering.ts';
import type { Checked, Rule } from './rules/rule.ts';
import { findWrongTaxes, findWrongTaxIds } from './rules/taxes.ts';
import { isIn } from './rules/rule.ts';
import type { Ledger } from './transactions.ts';

export type ComplianceOptions = TransactionOptions & {
  place?: PlaceId | undefined;
  direction?: 'purchases' | 'sales' | undefined;
  required?: readonly Field[] | undefined;
  limits?: Partial<ComplianceLimits> | undefined;
  /** `2025-12-31`: what is later is to come. */
  today: string;
  period?: Checked['period'] | undefined;
};

/** `counts`: findings by their rule, also of those beyond `mostFindings`, which are left out. */
export type ComplianceReport = {
  ledger: Ledger;
  place: Place | undefined;
  findings: Finding[];
  counts: Map<string, number>;
  leftOut: number;
  /** What the rules did not look at, and why. */
  notChecked: string[];
};

const rules: readonly Rule[] = [
  findUnreadable,
  findMissing,
  findCash,
  findApprovals,
  findDuplicates,
  findWrongTaxes,
  findWrongTaxIds,
  findOddDates,
  findRoundAmounts,
  findNumberGaps,
];

/** More than people read. */
export const mostFindings = 5_000;
const findingsAtOnce = 200;
const bySeverity = { high: 0, medium: 1, low: 2 };

/**
 * Checks transactions against the rules of a place and the limits of the request. Many rows take seconds, in which the
 * process does other work too.
 *
 * @throws AlfredError `invalid_request` when the tables are not understood; the reason of the signal's abort
 */
export async function check(
  tables: readonly Table[],
  options: ComplianceOptions,
  signal?: AbortSignal,
): Promise<ComplianceReport> {
  const pause = createPause(signal);
  const place = options.place && places[options.place];
  const ledger = await readTransactions(tables, { ...options, usualOrder: place?.dateOrder }, pause);
  const checked: Checked = {
    ledger,
    place,
    limits: { ...usualComplianceLimits, ...options.limits },
    direction: options.direction ?? 'purchases',
    required: options.required ?? [],
    today: options.today,
    period: options.period ?? {},
  };
  const findings: Finding[] = [];
  const counts = new Map<string, number>();
  let leftOut = 0;
  let reported = 0;
  for (const rule of rules) {
    await pause();
    for (const finding of rule(checked)) {
      if (finding === undefined || ++reported % findingsAtOnce === 0) await pause();
      if (finding === undefined) continue;
      counts.set(finding.rule, (counts.get(finding.rule) ?? 0) + 1);
      if (findings.length < mostFindings) findings.push(finding);
      else leftOut++;
    }
  }
  findings.sort((a, b) => bySeverity[a.severity] - bySeverity[b.severity]);
  return { ledger, place, findings, counts, leftOut, notChecked: notCheckedIn(checked) };
}

function notCheckedIn({ ledger, place, limits, direction }: Checked): string[] {
  const has = (field: Field) => ledger.tables.some(({ columns }) => columns.has(field));
  const foreign = place ? ledger.transactions.filter((one) => !isIn(place.currency, one, place.currency)).length : 0;
  const foreignCash = place?.cash.find(({ currency }) => currency !== place.currency);
  return [
    ...(place
      ? []
      : [
          'The request names no place: limits of cash, fields of invoices, rates, tax numbers and holidays were not checked.',
        ]),
    ...(place && place.rates.length === 0
      ? [`${place.name}: sales tax differs by place of delivery, so rates and fields of invoices were not checked.`]
      : []),
    ...(place && !place.taxIds && has('supplierTaxId')
      ? [`${place.name}: numbers without a country in front were not checked.`]
      : []),
    ...(has('method') ? [] : ['No column says how was paid, so payments in cash were not looked for.']),
    ...(has('date')
      ? []
      : ['No column has days, so splits, near duplicates, weekends and holidays were not looked for.']),
    ...(has('supplier') || has('customer')
      ? []
      : ['No column names a supplier or customer, so duplicates and splits were not looked for.']),
    ...(has('tax') ? [] : ['No column has an amount of tax, so taxes were not computed again.']),
    ...(limits.approvalLimits.length > 0
      ? []
      : ['The request names no `approvalLimits`, so payments without approval and below a limit were not looked for.']),
    ...(direction === 'sales'
      ? []
      : ['Gaps in numbers are looked for in invoices of your own (`direction: "sales"`).']),
    ...(foreign > 0 && place
      ? [
          `${foreign} row(s) in another currency than ${place.currency} were not compared with limits, rates and fields of ${place.name}.`,
        ]
      : []),
    ...(foreignCash && place && limits.cashLimit === undefined
      ? [
          `The limit of cash of ${place.name} is in ${foreignCash.currency}: only rows in that currency were compared. Give \`cashLimit\` to compare the others.`,
        ]
      : []),
  ];
}
