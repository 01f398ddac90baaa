import { AlfredError } from '../../../../contract/errors.ts';
import { bracketParts, bracketRows, levy, part, percent, plain, progressive, roundingPart } from '../levy.ts';
import { atLeastZero, max, min, money, nearest, sum, zero, type Money } from '../money.ts';
import type { IndiaRegime, IndiaTable } from '../tables/table-types.ts';
import type { Brackets, Individual, Levy, Part, PlaceRules } from '../types.ts';
import { in2024 } from '../tables/in-2024-25.ts';
import { in2025 } from '../tables/in-2025-26.ts';

const bracketsOf = ({ brackets, olderBrackets = [] }: IndiaRegime, age = 0): Brackets =>
  olderBrackets.findLast(([from]) => age >= from)?.[1] ?? brackets;

function incomeTax(person: Individual, table: IndiaTable): Levy {
  const regime = table[person.regime];
  const { wages, otherIncome, deductions, age } = person;
  if (person.regime === 'new' && !deductions.isZero())
    throw new AlfredError(
      'invalid_request',
      'In India the new regime allows none of these deductions. Leave `deductions` out, or ask with `regime: "old"`.',
    );
  const base = [
    part('Salary', wages),
    part('Other income', otherIncome),
    part('Standard deduction', min(wages, regime.standardDeduction).negated()),
    part('Further deductions', deductions.negated()),
  ];
  // Section 288A: to the nearest ten rupees.
  const taxable = nearest(atLeastZero(sum(base.map(({ amount }) => amount))), 10);
  const brackets = bracketsOf(regime, age);
  const parts = bracketParts(taxable, brackets);
  const rebate = rebateOf(taxable, sum(parts.map(({ amount }) => amount)), regime);
  parts.push(part('Rebate under section 87A', rebate.negated()));
  const tax = sum(parts.map(({ amount }) => amount));
  parts.push(...surchargeParts({ taxable, tax, brackets, steps: regime.surcharge }));
  const withSurcharge = sum(parts.map(({ amount }) => amount));
  parts.push(part(`Health and education cess, ${percent(table.cess)}`, withSurcharge.times(table.cess)));
  const due = atLeastZero(sum(parts.map(({ amount }) => amount)).minus(person.credits));
  parts.push(
    part('Further credits', person.credits.isZero() ? zero : due.minus(sum(parts.map(({ amount }) => amount)))),
  );
  parts.push(roundingPart('To the nearest ten rupees (section 288B)', parts, nearest(due, 10)));
  return levy(`Income tax, ${person.regime} regime`, 'tax', { base, taxable, parts });
}

/** Section 87A. With relief at the margin, tax never exceeds the income above the limit. */
function rebateOf(taxable: Money, tax: Money, { rebate: { upTo, atMost, hasRelief } }: IndiaRegime): Money {
  if (taxable.lessThanOrEqualTo(upTo)) return min(tax, atMost);
  return hasRelief ? atLeastZero(tax.minus(taxable.minus(upTo))) : zero;
}

type Surcharged = { taxable: Money; tax: Money; brackets: Brackets; steps: IndiaRegime['surcharge'] };

/** Tax and surcharge exceed those at a threshold by no more than the income that exceeds it. */
function surchargeParts({ taxable, tax, brackets, steps }: Surcharged): Part[] {
  const index = steps.findLastIndex(([from]) => taxable.greaterThan(from));
  const step = steps[index];
  if (!step) return [];
  const [from, rate] = step;
  const [, before = 0] = steps[index - 1] ?? [];
  const surcharge = tax.times(rate);
  const atThreshold = progressive(money(from), brackets).times(1 + before);
  const relief = max(tax.plus(surcharge).minus(atThreshold).minus(taxable.minus(from)), 0);
  return [part(`Surcharge, ${percent(rate)}`, surcharge), part('Marginal relief', relief.negated())];
}

function corporationTax(profit: Money, { corporation: { rate, surcharge }, cess }: IndiaTable): Levy {
  const tax = profit.times(rate);
  const added = tax.times(surcharge);
  return levy('Income tax of a domestic company (section 115BAA)', 'tax', {
    base: [part('Total income', profit)],
    parts: [
      part(`${percent(rate)} of ${plain(profit)}`, tax),
      part(`Surcharge, ${percent(surcharge)}`, added),
      part(`Health and education cess, ${percent(cess)}`, tax.plus(added).times(cess)),
    ],
  });
}

const regimeRows = (regime: IndiaRegime) => [
  ['Standard deduction', plain(money(regime.standardDeduction))] as const,
  [
    'Rebate under section 87A',
    `${plain(money(regime.rebate.atMost))}, up to a total income of ${plain(money(regime.rebate.upTo))}`,
  ] as const,
  ...regime.surcharge.map(([from, rate]) => [`Surcharge above ${plain(money(from))}`, percent(rate)] as const),
];

export const india: PlaceRules<IndiaTable> = {
  id: 'in',
  name: 'India',
  currency: 'INR',
  tables: [in2024, in2025],
  uses: ['age', 'regime'],
  individual: (person, table) => [incomeTax(person, table)],
  corporation: ({ profit }, table) => [corporationTax(profit, table)],
  rates: (table) => [
    { title: 'New regime (section 115BAC)', rows: [...bracketRows(table.new.brackets), ...regimeRows(table.new)] },
    { title: 'Old regime', rows: [...bracketRows(table.old.brackets), ...regimeRows(table.old)] },
    ...(table.old.olderBrackets ?? []).map(([from, brackets]) => ({
      title: `Old regime, from the age of ${from}`,
      rows: bracketRows(brackets),
    })),
    {
      title: 'Cess and companies',
      rows: [
        ['Health and education cess', percent(table.cess)],
        [
          'Domestic companies, section 115BAA',
          `${percent(table.corporation.rate)}, surcharge ${percent(table.corporation.surcharge)}`,
        ],
      ],
    },
  ],
  assumes: [
    'Resident; other income carries no special rate; each of a couple is taxed alone.',
    'A company has opted for section 115BAA.',
  ],
  leavesOut: [
    'deductions under chapter VI-A and house rent (they may be given as a deduction, in the old regime)',
    'capital gains and other income at special rates',
    'professional tax of states',
    'provident fund contributions',
  ],
  corporationLeavesOut: ['other rates for companies (25 %, 30 %, section 115BAB)', 'minimum alternate tax'],
  cliffs: (table) => [
    {
      from: table.old.rebate.upTo + table.old.standardDeduction,
      to: table.old.rebate.upTo + table.old.standardDeduction + 20,
      why: 'the rebate under section 87A of the old regime ends at once',
    },
  ],
};
