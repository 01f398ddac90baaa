import { bracketParts, bracketRows, creditPart, levy, part, percent, plain } from '../levy.ts';
import { atLeastZero, max, min, money, sum, zero, type Money } from '../money.ts';
import type { IrelandTable } from '../tables/table-types.ts';
import type { Individual, Levy, PlaceRules } from '../types.ts';
import { ie2024 } from '../tables/ie-2024.ts';
import { ie2025 } from '../tables/ie-2025.ts';
import { ie2026 } from '../tables/ie-2026.ts';

const weeks = 52;
const isSingleParent = ({ status, children }: Individual) => status === 'head' && children > 0;

function incomeTax(person: Individual, table: IrelandTable): Levy {
  const { wages, partnerWages, otherIncome, deductions, status } = person;
  const base = [
    part('Wages', wages),
    part('Wages of the partner', partnerWages),
    part('Other income', otherIncome),
    part('Further deductions', deductions.negated()),
  ];
  const taxable = atLeastZero(sum(base.map(({ amount }) => amount)));
  const parts = bracketParts(taxable, [
    [standardBand(person, table), table.rates.standard],
    [null, table.rates.higher],
  ]);
  const { personal, employee, singleParent } = table.credits;
  parts.push(creditPart('Personal credit', parts, money(personal).times(status === 'married' ? 2 : 1)));
  // At most the tax of the wage at the standard rate.
  const ofEmployee = [wages, partnerWages].map((wage) => min(wage.times(table.rates.standard), employee));
  parts.push(creditPart('Employee credit', parts, sum(ofEmployee)));
  parts.push(
    creditPart('Single person child carer credit', parts, isSingleParent(person) ? money(singleParent) : zero),
  );
  parts.push(creditPart('Further credits', parts, person.credits));
  return levy('Income tax', 'tax', { base, taxable, parts });
}

/** The band of a couple grows by the lower income of the two. */
function standardBand(person: Individual, { bands }: IrelandTable): number {
  if (person.status === 'married') {
    const lower = min(person.wages, person.partnerWages);
    return min(max(lower, 0), bands.secondEarner).plus(bands.married).toNumber();
  }
  return isSingleParent(person) ? bands.singleParent : bands.single;
}

function socialCharge({ wages, partnerWages, otherIncome }: Individual, { socialCharge }: IrelandTable): Levy {
  const { exemptUpTo, brackets } = socialCharge;
  const persons = [wages.plus(otherIncome), partnerWages];
  const parts = persons.flatMap((income) =>
    income.lessThanOrEqualTo(exemptUpTo) ? [] : bracketParts(income, brackets),
  );
  return levy('Universal Social Charge', 'contribution', {
    base: [part('Income', sum(persons))],
    parts,
  });
}

/** Class A, with even pay in 52 weeks: nothing up to a weekly limit, then a credit that falls by a sixth. */
function socialInsurance({ wages, partnerWages }: Individual, { socialInsurance }: IrelandTable): Levy {
  const { exemptUpTo, credit, rates } = socialInsurance;
  const rate = rates.reduce((average, [share, each]) => average.plus(money(each).times(share)), zero);
  const persons = [wages, partnerWages];
  const parts = persons.flatMap((yearly) => {
    const weekly = yearly.dividedBy(weeks);
    if (weekly.lessThanOrEqualTo(exemptUpTo)) return [];
    const due = yearly.times(rate);
    const left = atLeastZero(money(credit).minus(atLeastZero(weekly.minus(exemptUpTo)).dividedBy(6))).times(weeks);
    return [part(`${percent(rate)} of ${plain(yearly)}`, due), part('Weekly credit', min(left, due).negated())];
  });
  return levy('PRSI (employee, class A)', 'contribution', { base: [part('Wages', sum(persons))], parts });
}

const corporationTax = (profit: Money, { corporation: { rate } }: IrelandTable): Levy =>
  levy('Corporation tax', 'tax', {
    base: [part('Trading profit', profit)],
    parts: [part(`${percent(rate)} of ${plain(profit)}`, profit.times(rate))],
  });

export const ie: PlaceRules<IrelandTable> = {
  id: 'ie',
  name: 'Ireland',
  currency: 'EUR',
  tables: [ie2024, ie2025, ie2026],
  isJoint: true,
  uses: ['status', 'children'],
  individual: (person, table) => [
    incomeTax(person, table),
    socialCharge(person, table),
    socialInsurance(person, table),
  ],
  corporation: ({ profit }, table) => [corporationTax(profit, table)],
  rates: (table) => [
    {
      title: 'Income tax',
      rows: [
        [`Up to ${plain(money(table.bands.single))}, single`, percent(table.rates.standard)],
        [
          `Up to ${plain(money(table.bands.married))}, married, and up to ${plain(money(table.bands.secondEarner))} of the lower income`,
          percent(table.rates.standard),
        ],
        [`Up to ${plain(money(table.bands.singleParent))}, single parent`, percent(table.rates.standard)],
        ['Above', percent(table.rates.higher)],
        ['Personal credit', plain(money(table.credits.personal))],
        ['Employee credit', plain(money(table.credits.employee))],
        ['Single person child carer credit', plain(money(table.credits.singleParent))],
      ],
    },
    {
      title: `Universal Social Charge, none up to ${plain(money(table.socialCharge.exemptUpTo))}`,
      rows: bracketRows(table.socialCharge.brackets),
    },
    {
      title: 'PRSI and companies',
      rows: [
        ...table.socialInsurance.rates.map(
          ([share, rate]) => [`PRSI, employee, ${percent(share)} of the year`, percent(rate)] as const,
        ),
        ['PRSI, nothing up to, a week', plain(money(table.socialInsurance.exemptUpTo))],
        ['Companies, trading', percent(table.corporation.rate)],
      ],
    },
  ],
  assumes: [
    'Resident; even pay over 52 weeks; a PRSI rate that changes in October counts by the months it applies.',
    'Spouses are assessed together (married) or as single persons.',
  ],
  leavesOut: [
    'reduced USC for people of 70 and over and holders of a medical card',
    'exemptions by age',
    'the home carer, rent and other credits (they may be given as credits)',
    'pension contributions (they may be given as a deduction)',
    'the surcharge on other income above 100,000',
  ],
  corporationLeavesOut: ['passive income at 25 %', 'the minimum tax of large groups'],
  cliffs: ({ socialCharge, socialInsurance }) => [
    {
      from: socialCharge.exemptUpTo - 1,
      to: socialCharge.exemptUpTo + 1,
      why: 'the Universal Social Charge begins with the whole income',
    },
    {
      from: socialInsurance.exemptUpTo * weeks - 1,
      to: socialInsurance.exemptUpTo * weeks + 1,
      why: 'PRSI begins with the whole wage',
    },
  ],
};
