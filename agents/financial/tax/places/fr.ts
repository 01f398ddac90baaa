import {
  bracketParts,
  bracketRows,
  creditPart,
  levy,
  part,
  percent,
  plain,
  progressive,
  roundingPart,
} from '../levy.ts';
import { leastWhere } from '../bisect.ts';
import { atLeastZero, floorTo, max, min, money, nearest, sum, zero, type Money } from '../money.ts';
import type { FranceTable } from '../tables/table-types.ts';
import type { Brackets, Individual, Levy, Part, PlaceRules } from '../types.ts';
import { fr2023 } from '../tables/fr-2023.ts';
import { fr2024 } from '../tables/fr-2024.ts';
import { fr2025 } from '../tables/fr-2025.ts';

/** Parts of the household: those of the adults, and half-parts of children and of a single parent. */
function householdOf({ status, children }: Individual): { adults: number; halves: number; isAlone: boolean } {
  const isAlone = status === 'head' && children > 0;
  const ofChildren = children <= 2 ? children : 2 + (children - 2) * 2;
  return { adults: status === 'married' ? 2 : 1, halves: ofChildren + (isAlone ? 1 : 0), isAlone };
}

function incomeTax(person: Individual, table: FranceTable): Levy {
  const { wages, partnerWages, otherIncome, deductions, status } = person;
  const base = [
    part('Net taxable salary', wages),
    part('Net taxable salary of the partner', partnerWages),
    part('Other income', otherIncome),
    part('Professional expenses, 10 %', expenses(wages, table).negated()),
    part('Professional expenses of the partner, 10 %', expenses(partnerWages, table).negated()),
    part('Further deductions', deductions.negated()),
  ];
  const taxable = floorTo(atLeastZero(sum(base.map(({ amount }) => amount))));
  const parts = quotientParts(taxable, person, table);
  const gross = sum(parts.map(({ amount }) => amount));
  const { base: most, rate } = table.decote[status === 'married' ? 'married' : 'single'];
  parts.push(
    creditPart(
      `Décote: ${plain(money(most))} less ${percent(rate)} of the tax`,
      parts,
      nearest(atLeastZero(money(most).minus(gross.times(rate)))),
    ),
  );
  parts.push(creditPart('Further credits', parts, person.credits));
  const due = sum(parts.map(({ amount }) => amount));
  const collected = due.lessThan(table.leastCollected) ? zero : nearest(due);
  parts.push(
    roundingPart(
      collected.isZero() ? `Not collected below ${table.leastCollected}` : 'To a full euro',
      parts,
      collected,
    ),
  );
  parts.push(...highIncomeParts(taxable, person, table));
  return levy('Income tax', 'tax', { base, taxable, parts });
}

const expenses = (salary: Money, { expenses: { rate, least, most } }: FranceTable): Money =>
  nearest(min(salary, max(min(salary.times(rate), most), least)));

/** Art. 197 CGI: the tax of a part times the parts, unless the half-parts save more than the cap. */
function quotientParts(taxable: Money, person: Individual, table: FranceTable): Part[] {
  const { adults, halves, isAlone } = householdOf(person);
  const of = (parts: number) => nearest(progressive(taxable.dividedBy(parts), table.brackets).times(parts));
  const full = of(adults + halves / 2);
  const withoutHalves = of(adults);
  const { half, firstOfSingleParent } = table.cap;
  const saved = isAlone ? money(firstOfSingleParent).plus(half * (halves - 2)) : money(half * halves);
  const parts = scaledParts(taxable, adults, table.brackets);
  parts.push(roundingPart('To a full euro', parts, withoutHalves));
  const least = withoutHalves.minus(saved);
  const tax = max(full, least);
  return [
    ...parts,
    part(tax.equals(full) ? `Quotient of ${adults + halves / 2} parts` : 'Quotient, capped', tax.minus(withoutHalves)),
  ];
}

const scaledParts = (taxable: Money, parts: number, brackets: Brackets): Part[] =>
  bracketParts(
    taxable,
    brackets.map(([upTo, rate]) => [upTo === null ? null : upTo * parts, rate] as const),
  );

/** Art. 223 sexies CGI, on the reference income. */
function highIncomeParts(taxable: Money, { status }: Individual, { highIncome }: FranceTable): Part[] {
  const brackets = highIncome[status === 'married' ? 'married' : 'single'];
  const due = nearest(progressive(taxable, brackets));
  return [part('Exceptional contribution on high incomes', due)];
}

function corporationTax(profit: Money, isSmall: boolean, { corporation }: FranceTable): Levy {
  const { rate, smallRate, smallUpTo } = corporation;
  const small = isSmall ? min(profit, smallUpTo) : zero;
  const rest = profit.minus(small);
  return levy('Corporation tax (impôt sur les sociétés)', 'tax', {
    base: [part('Taxable profit', profit)],
    parts: [
      part(`Reduced rate, ${percent(smallRate)} of ${plain(small)}`, small.times(smallRate)),
      part(`${percent(rate)} of ${plain(rest)}`, rest.times(rate)),
    ],
  });
}

export const fr: PlaceRules<FranceTable> = {
  id: 'fr',
  name: 'France',
  currency: 'EUR',
  tables: [fr2023, fr2024, fr2025],
  incomeMeans: 'the net taxable salary (salaire net imposable), as the payslip shows it',
  isJoint: true,
  uses: ['status', 'children', 'small'],
  individual: (person, table) => [incomeTax(person, table)],
  corporation: ({ profit, isSmall }, table) => [corporationTax(profit, isSmall, table)],
  rates: (table) => [
    { title: 'Income tax, a part of the household', rows: bracketRows(table.brackets) },
    {
      title: 'Deduction, quotient, décote and companies',
      rows: [
        [
          'Professional expenses',
          `${percent(table.expenses.rate)}, at least ${plain(money(table.expenses.least))}, at most ${plain(money(table.expenses.most))}`,
        ],
        ['A half-part saves at most', plain(money(table.cap.half))],
        [
          'Décote, single',
          `${plain(money(table.decote.single.base))} less ${percent(table.decote.single.rate)} of the tax`,
        ],
        [
          'Décote, couple',
          `${plain(money(table.decote.married.base))} less ${percent(table.decote.married.rate)} of the tax`,
        ],
        ['Not collected below', plain(money(table.leastCollected))],
        [
          'Companies',
          `${percent(table.corporation.rate)}; small companies ${percent(table.corporation.smallRate)} up to ${plain(money(table.corporation.smallUpTo))}`,
        ],
      ],
    },
  ],
  assumes: [
    'Resident in mainland France; income is the net taxable salary; children are minors and live with the household.',
  ],
  leavesOut: [
    'social contributions and CSG, which come before the net taxable salary',
    'the differential contribution on high incomes (CDHR)',
    'capital income at 30 %',
    'reductions of tax (they may be given as credits)',
    'averaging rules for exceptional income',
  ],
  corporationLeavesOut: ['the social contribution of 3.3 %', 'the exceptional contribution of very large companies'],
  cliffs: (table) => {
    const alone = {
      partnerWages: zero,
      otherIncome: zero,
      deductions: zero,
      credits: zero,
      status: 'single',
      children: 0,
    } as const;
    const due = (wages: number) =>
      incomeTax({ ...alone, wages: money(wages), age: undefined, regime: 'new' }, table).amount;
    const at = leastWhere((wages) => due(wages).greaterThan(0), 100_000);
    return [{ from: at - 1, to: at, why: `a tax below ${table.leastCollected} euros is not collected` }];
  },
};
