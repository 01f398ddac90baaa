import { leastWhere } from '../bisect.ts';
import { bracketParts, bracketRows, creditPart, levy, part, percent, plain, roundingPart } from '../levy.ts';
import { atLeastZero, floorTo, max, min, money, sum, zero, type Money } from '../money.ts';
import type { JapanTable } from '../tables/table-types.ts';
import type { Individual, Levy, Part, PlaceRules } from '../types.ts';
import { jp2024 } from '../tables/jp-2024.ts';
import { jp2025 } from '../tables/jp-2025.ts';

/** 給与所得: what is left of a salary after the deduction for employment income. */
export function employmentIncome(salary: Money, { employment: { least, steps, most, tabled } }: JapanTable): Money {
  if (salary.lessThanOrEqualTo(least.upTo)) return atLeastZero(salary.minus(least.deduction));
  // Below the limit of the official table, salaries count in steps of 4,000 yen.
  const counted = salary.lessThan(tabled) ? floorTo(salary, 4000) : salary;
  const step = steps.find(([upTo]) => counted.lessThanOrEqualTo(upTo));
  const [, rate, added] = step ?? [0, 0, most];
  return floorTo(
    max(salary.lessThan(tabled) ? counted : salary, 0)
      .minus(counted.times(rate))
      .minus(added),
  );
}

/** The deduction that falls with income: the first row whose limit is not exceeded. */
const byIncome = (income: Money, rows: readonly (readonly [number, number])[]): Money =>
  money(rows.find(([upTo]) => income.lessThanOrEqualTo(upTo))?.[1] ?? 0);

function incomeParts(person: Individual, table: JapanTable): { base: Part[]; income: Money } {
  const employed = employmentIncome(person.wages, table);
  const base = [
    part('Salary', person.wages),
    part('Deduction for employment income', employed.minus(person.wages)),
    part('Other income', person.otherIncome),
  ];
  return { base, income: employed.plus(person.otherIncome) };
}

function incomeTax(person: Individual, table: JapanTable): Levy {
  const { base, income } = incomeParts(person, table);
  base.push(part('Basic deduction', byIncome(income, table.basicDeduction).negated()));
  base.push(part('Further deductions', person.deductions.negated()));
  const taxable = floorTo(atLeastZero(sum(base.map(({ amount }) => amount))), 1000);
  const parts = bracketParts(taxable, table.brackets);
  const { fixedReduction } = table;
  if (fixedReduction && income.lessThanOrEqualTo(fixedReduction.upTo))
    parts.push(creditPart('Fixed tax reduction', parts, money(fixedReduction.amount)));
  parts.push(creditPart('Further credits', parts, person.credits));
  const tax = sum(parts.map(({ amount }) => amount));
  parts.push(part(`Reconstruction tax, ${percent(table.reconstruction)}`, floorTo(tax.times(table.reconstruction))));
  parts.push(roundingPart('Down to 100 yen', parts, floorTo(sum(parts.map(({ amount }) => amount)), 100)));
  return levy('Income tax and reconstruction tax', 'tax', { base, taxable, parts });
}

/** On the income of the year, due from June of the next. */
function inhabitantTax(person: Individual, table: JapanTable): Levy {
  const { inhabitant } = table;
  const { base, income } = incomeParts(person, table);
  const basic = byIncome(income, inhabitant.basicDeduction);
  base.push(part('Basic deduction', basic.negated()), part('Further deductions', person.deductions.negated()));
  const taxable = floorTo(atLeastZero(sum(base.map(({ amount }) => amount))), 1000);
  if (income.lessThanOrEqualTo(inhabitant.exemptUpTo))
    return levy('Inhabitant tax', 'tax', { base, taxable, parts: [] });
  const adjustment = income.greaterThan(inhabitant.adjustment.upTo) ? zero : adjustmentOf(taxable, table);
  const shares = inhabitant.rates.map(([name, rate]) => ({
    name,
    rate,
    due: taxable.times(rate),
    less: adjustment.times(money(rate).dividedBy(sum(inhabitant.rates.map(([, each]) => money(each))))),
  }));
  const parts = shares.flatMap(({ name, rate, due, less }) => [
    part(`${name}, ${percent(rate)} of ${plain(taxable)}`, due),
    part(`${name}, adjustment credit`, min(less, due).negated()),
  ]);
  const rounded = sum(shares.map(({ due, less }) => floorTo(atLeastZero(due.minus(less)), 100)));
  parts.push(roundingPart('Each down to 100 yen', parts, rounded));
  parts.push(part('Equal share, with forest environment tax', inhabitant.perHead));
  return levy('Inhabitant tax', 'tax', { base, taxable, parts });
}

/** 調整控除, for the difference of the basic deductions of both taxes, which the law sets at 50,000 yen. */
function adjustmentOf(taxable: Money, { inhabitant: { adjustment } }: JapanTable): Money {
  const { difference, rate, least, from } = adjustment;
  if (taxable.lessThanOrEqualTo(from)) return min(taxable, difference).times(rate);
  return max(money(difference).minus(taxable.minus(from)).times(rate), least);
}

function corporationTax(profit: Money, isSmall: boolean, { corporation }: JapanTable): Levy {
  const { rate, smallRate, smallUpTo, local } = corporation;
  const counted = floorTo(profit, 1000);
  const small = isSmall ? min(counted, smallUpTo) : zero;
  const rest = counted.minus(small);
  const tax = small.times(smallRate).plus(rest.times(rate));
  return levy('National corporation tax and local corporation tax', 'tax', {
    base: [part('Taxable profit', profit)],
    taxable: counted,
    parts: [
      part(`${percent(smallRate)} of ${plain(small)}`, small.times(smallRate)),
      part(`${percent(rate)} of ${plain(rest)}`, rest.times(rate)),
      part(`Local corporation tax, ${percent(local)} of the tax`, tax.times(local)),
    ],
  });
}

export const jp: PlaceRules<JapanTable> = {
  id: 'jp',
  name: 'Japan',
  currency: 'JPY',
  tables: [jp2024, jp2025],
  uses: ['small'],
  individual: (person, table) => [incomeTax(person, table), inhabitantTax(person, table)],
  corporation: ({ profit, isSmall }, table) => [corporationTax(profit, isSmall, table)],
  rates: (table) => [
    { title: 'Income tax', rows: bracketRows(table.brackets) },
    {
      title: 'Basic deduction by total income',
      rows: table.basicDeduction.map(
        ([upTo, amount]) => [`up to ${plain(money(upTo))}`, plain(money(amount))] as const,
      ),
    },
    {
      title: 'Other',
      rows: [
        [
          'Deduction for employment income',
          `${plain(money(table.employment.least.deduction))} up to ${plain(money(table.employment.least.upTo))}, at most ${plain(money(table.employment.most))}`,
        ],
        ['Reconstruction tax', `${percent(table.reconstruction)} of the income tax`],
        ...(table.fixedReduction ? [['Fixed tax reduction', plain(money(table.fixedReduction.amount))] as const] : []),
        ...table.inhabitant.rates.map(
          ([name, rate]) => [`Inhabitant tax, ${name.toLowerCase()}`, percent(rate)] as const,
        ),
        ['Inhabitant tax, equal share', plain(money(table.inhabitant.perHead))],
        [
          'National corporation tax',
          `${percent(table.corporation.rate)}; small companies ${percent(table.corporation.smallRate)} up to ${plain(money(table.corporation.smallUpTo))}`,
        ],
      ],
    },
  ],
  assumes: [
    'Resident with employment income; social insurance premiums are deductible and must be given as a deduction.',
    'The inhabitant tax is that on the income of the year, due from June of the next; a city with standard rates.',
  ],
  leavesOut: [
    'social insurance premiums (give them as a deduction)',
    'deductions for spouse, dependants, life insurance and others (they may be given as a deduction)',
    'the fixed tax reduction for family members in 2024',
    'the housing loan credit (it may be given as a credit)',
  ],
  corporationLeavesOut: [
    'inhabitant and enterprise taxes of prefectures and cities',
    'the defence surtax from April 2026',
  ],
  cliffs: (table) => {
    const salaryAbove = (income: number) =>
      leastWhere((salary) => employmentIncome(money(salary), table).greaterThan(income), 1e8);
    const cliff = (income: number, why: string) => ({ from: salaryAbove(income) - 1, to: salaryAbove(income), why });
    const { basicDeduction, inhabitant, fixedReduction } = table;
    const falls = [...new Set([...basicDeduction, ...inhabitant.basicDeduction].map(([upTo]) => upTo))];
    return [
      cliff(inhabitant.exemptUpTo, 'the inhabitant tax begins at once above its limit'),
      ...falls.map((upTo) => cliff(upTo, `a basic deduction falls above an income of ${plain(money(upTo))} yen`)),
      ...(fixedReduction ? [cliff(fixedReduction.upTo, 'the fixed tax reduction ends at once')] : []),
    ];
  },
};
