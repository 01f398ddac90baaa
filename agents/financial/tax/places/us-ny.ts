import { bracketParts, bracketRows, levy, part, percent, plain, progressive } from '../levy.ts';
import { atLeastZero, max, min, money, zero, type Money } from '../money.ts';
import type { NewYorkTable } from '../tables/table-types.ts';
import type { Individual, Levy, Status } from '../types.ts';
import { usNy2024 } from '../tables/us-ny-2024.ts';
import { usNy2025 } from '../tables/us-ny-2025.ts';
import { adjustedGross, grossParts, statuses, statusNames, taxableOf } from './us.ts';
import { inState } from './us-state.ts';

function incomeTax(person: Individual, table: NewYorkTable): Levy {
  const { status, children, deductions } = person;
  const base = [
    ...grossParts(person),
    part('Standard deduction', -table.standardDeduction[status]),
    part('Dependent exemptions', -table.dependentExemption * children),
    part('Further deductions', deductions.negated()),
  ];
  const taxable = taxableOf(base);
  const recaptured = recapture(adjustedGross(person), taxable, { status, table });
  return levy('New York State income tax', 'tax', {
    base,
    taxable,
    parts: [
      ...bracketParts(taxable, table.brackets[status]),
      part('Recapture of the lower brackets (tax computation worksheet)', recaptured),
    ],
  });
}

/** The worksheets of Form IT-201's instructions. */
function recapture(gross: Money, taxable: Money, { status, table }: { status: Status; table: NewYorkTable }): Money {
  const { from, over, all, [status]: own } = table.recapture;
  const scheduled = progressive(taxable, table.brackets[status]);
  if (gross.lessThanOrEqualTo(from)) return zero;
  if (gross.greaterThan(all.from)) return atLeastZero(taxable.times(all.rate).minus(scheduled));
  const shareFrom = (start: number) => min(atLeastZero(gross.minus(start)), over).dividedBy(over);
  if (taxable.lessThanOrEqualTo(own.upTo)) return taxable.times(own.flat).minus(scheduled).times(shareFrom(from));
  const [start, base, more] = own.steps.findLast(([above]) => taxable.greaterThan(above)) ?? [0, 0, 0];
  return money(base).plus(money(more).times(shareFrom(start)));
}

function capped(
  name: string,
  { wages, partnerWages }: Individual,
  { rate, atMost }: NewYorkTable['familyLeave'],
): Levy {
  const of = (wage: Money) =>
    part(`${percent(rate)} of ${plain(wage)}, at most ${plain(money(atMost))}`, min(wage.times(rate), atMost));
  return levy(name, 'contribution', {
    base: [part('Wages', wages), part('Wages of the partner', partnerWages)],
    parts: [of(wages), of(max(partnerWages, 0))],
  });
}

export const usNy = inState<NewYorkTable>({
  id: 'us-ny',
  name: 'New York State',
  tables: [usNy2024, usNy2025],
  individual: (person, table) => [
    incomeTax(person, table),
    capped('New York Paid Family Leave', person, table.familyLeave),
    capped('New York disability insurance', person, table.disabilityInsurance),
  ],
  noCorporation: 'the corporate franchise tax depends on bases and apportionment, which no plain rate covers',
  rates: (table) => [
    ...statuses.map((status) => ({
      title: `New York State income tax, ${statusNames[status].toLowerCase()}`,
      rows: [
        ...bracketRows(table.brackets[status]),
        ['Standard deduction', plain(money(table.standardDeduction[status]))] as const,
      ],
    })),
    {
      title: 'New York State, other',
      rows: [
        ['Exemption a dependent', plain(money(table.dependentExemption))],
        ['Lower brackets are taken back above an adjusted gross income of', plain(money(table.recapture.from))],
        ['Paid Family Leave', `${percent(table.familyLeave.rate)}, at most ${plain(money(table.familyLeave.atMost))}`],
        [
          'Disability insurance',
          `${percent(table.disabilityInsurance.rate)}, at most ${plain(money(table.disabilityInsurance.atMost))}`,
        ],
      ],
    },
  ],
  cliffs: ({ standardDeduction, recapture: { single, all } }) => [
    ...single.steps.map(([taxable]) => {
      const gross = taxable + standardDeduction.single;
      return {
        from: gross,
        to: gross + 1,
        why: 'the recapture of a bracket begins with the adjusted gross income above it',
      };
    }),
    { from: all.from, to: all.from + 1, why: 'the highest rate counts for the whole income' },
  ],
  leavesOut: ['New York City and Yonkers tax', 'the household credit', 'the Empire State child credit'],
});
