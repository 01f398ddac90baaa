import { bracketParts, bracketRows, creditPart, levy, part, percent, plain } from '../levy.ts';
import { atLeastZero, ceilTo, money, type Money } from '../money.ts';
import type { CaliforniaTable } from '../tables/table-types.ts';
import type { Individual, Levy } from '../types.ts';
import { usCa2024 } from '../tables/us-ca-2024.ts';
import { usCa2025 } from '../tables/us-ca-2025.ts';
import { adjustedGross, grossParts, statuses, statusNames, taxableOf } from './us.ts';
import { inState } from './us-state.ts';

function incomeTax(person: Individual, table: CaliforniaTable): Levy {
  const { status, deductions } = person;
  const base = [
    ...grossParts(person),
    part('Standard deduction', -table.standardDeduction[status]),
    part('Further deductions', deductions.negated()),
  ];
  const taxable = taxableOf(base);
  const parts = bracketParts(taxable, table.brackets[status]);
  parts.push(creditPart('Exemption credits', parts, exemptionCredits(person, table)));
  const { rate, from } = table.behavioralHealth;
  const above = atLeastZero(taxable.minus(from));
  parts.push(part(`Behavioral health services tax, ${percent(rate)} of ${plain(above)}`, above.times(rate)));
  return levy('California income tax', 'tax', { base, taxable, parts });
}

/** Revenue and Taxation Code §§ 17054 and 17054.1: from 65 on a person has a second one. */
function exemptionCredits(person: Individual, { exemptionCredit }: CaliforniaTable): Money {
  const { status, children, age = 0 } = person;
  const persons = (status === 'married' ? 2 : 1) + (age >= 65 ? 1 : 0);
  const excess = atLeastZero(adjustedGross(person).minus(exemptionCredit.from[status]));
  const steps = ceilTo(excess, status === 'separate' ? 1250 : 2500).dividedBy(status === 'separate' ? 1250 : 2500);
  const left = (amount: number) => atLeastZero(money(amount).minus(steps.times(6)));
  return left(exemptionCredit.person).times(persons).plus(left(exemptionCredit.dependent).times(children));
}

function disability({ wages, partnerWages }: Individual, { disabilityInsurance: rate }: CaliforniaTable): Levy {
  const both = wages.plus(partnerWages);
  return levy('California State Disability Insurance', 'contribution', {
    base: [part('Wages', wages), part('Wages of the partner', partnerWages)],
    parts: [part(`${percent(rate)} of ${plain(both)}`, both.times(rate))],
  });
}

export const usCa = inState<CaliforniaTable>({
  id: 'us-ca',
  name: 'California',
  tables: [usCa2024, usCa2025],
  individual: (person, table) => [incomeTax(person, table), disability(person, table)],
  corporation: (profit, { corporation: { rate, least } }) => [
    levy('California franchise tax', 'tax', {
      base: [part('Taxable profit', profit)],
      parts: [
        part(`${percent(rate)} of ${plain(profit)}`, profit.times(rate)),
        part(`Up to the minimum of ${plain(money(least))}`, atLeastZero(money(least).minus(profit.times(rate)))),
      ],
    }),
  ],
  rates: (table) => [
    ...statuses.map((status) => ({
      title: `California income tax, ${statusNames[status].toLowerCase()}`,
      rows: [
        ...bracketRows(table.brackets[status]),
        ['Standard deduction', plain(money(table.standardDeduction[status]))] as const,
      ],
    })),
    {
      title: 'California, other',
      rows: [
        ['Exemption credit a person', plain(money(table.exemptionCredit.person))],
        ['Exemption credit from 65 on, in addition', plain(money(table.exemptionCredit.person))],
        ['Exemption credit a dependent', plain(money(table.exemptionCredit.dependent))],
        ['Behavioral health services tax', `${percent(table.behavioralHealth.rate)} over 1,000,000`],
        ['State Disability Insurance, employee', percent(table.disabilityInsurance)],
        ['Corporations', `${percent(table.corporation.rate)}, at least ${plain(money(table.corporation.least))}`],
      ],
    },
  ],
  leavesOut: [
    'California AMT',
    'the senior exemption credit of a partner',
    "the renters' credit",
    'CalEITC and the young child tax credit',
  ],
});
