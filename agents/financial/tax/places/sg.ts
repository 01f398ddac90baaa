import { bracketParts, bracketRows, creditPart, levy, part, percent, plain } from '../levy.ts';
import { atLeastZero, min, money, sum, type Money } from '../money.ts';
import type { SingaporeTable } from '../tables/table-types.ts';
import type { Individual, Levy, PlaceRules } from '../types.ts';
import { sg2024 } from '../tables/sg-2024.ts';
import { sg2025 } from '../tables/sg-2025.ts';

function incomeTax(person: Individual, table: SingaporeTable): Levy {
  const { wages, otherIncome, deductions, credits } = person;
  const base = [
    part('Wages', wages),
    part('Other income', otherIncome),
    part('Earned income relief', min(earnedIncomeRelief(person, table), wages).negated()),
    part('Further deductions', deductions.negated()),
  ];
  const taxable = atLeastZero(sum(base.map(({ amount }) => amount)));
  const parts = bracketParts(taxable, table.brackets);
  const { rate, atMost } = table.rebate;
  parts.push(
    creditPart(
      `Rebate of ${percent(rate)}, at most ${plain(money(atMost))}`,
      parts,
      min(sum(parts.map(({ amount }) => amount)).times(rate), atMost),
    ),
  );
  parts.push(creditPart('Further credits', parts, credits));
  return levy('Income tax', 'tax', { base, taxable, parts });
}

function earnedIncomeRelief({ age = 0 }: Individual, { earnedIncomeRelief }: SingaporeTable): Money {
  const [, amount = 0] = earnedIncomeRelief.findLast(([from]) => age >= from) ?? [];
  return money(amount);
}

/** Partial exemption of a company's normal chargeable income. */
function corporationTax(profit: Money, { corporation: { rate, exempt } }: SingaporeTable): Levy {
  let below = money(0);
  const parts = exempt.map(([upTo, share]) => {
    const slice = atLeastZero(min(profit, upTo).minus(below));
    below = money(upTo);
    return part(`Exempt, ${percent(share)} of ${plain(slice)}`, slice.times(share).negated());
  });
  const base = [part('Chargeable income', profit), ...parts];
  const taxable = sum(base.map(({ amount }) => amount));
  return levy('Corporate income tax', 'tax', {
    base,
    taxable,
    parts: [part(`${percent(rate)} of ${plain(taxable)}`, taxable.times(rate))],
  });
}

export const sg: PlaceRules<SingaporeTable> = {
  id: 'sg',
  name: 'Singapore',
  currency: 'SGD',
  tables: [sg2024, sg2025],
  uses: ['age'],
  individual: (person, table) => [incomeTax(person, table)],
  corporation: ({ profit }, table) => [corporationTax(profit, table)],
  rates: (table) => [
    { title: 'Income tax of residents', rows: bracketRows(table.brackets) },
    {
      title: 'Relief, rebate and companies',
      rows: [
        ...table.earnedIncomeRelief.map(
          ([from, amount]) => [`Earned income relief from the age of ${from}`, plain(money(amount))] as const,
        ),
        ['Rebate', `${percent(table.rebate.rate)} of the tax, at most ${plain(money(table.rebate.atMost))}`],
        ['Companies', percent(table.corporation.rate)],
        ...table.corporation.exempt.map(
          ([upTo, share]) => [`Exempt up to ${plain(money(upTo))}`, percent(share)] as const,
        ),
      ],
    },
  ],
  assumes: ['Tax resident; a year of assessment taxes the income of the year before; each of a couple is taxed alone.'],
  leavesOut: [
    'CPF contributions (they may be given as a deduction)',
    'reliefs for children, spouse, parents, course fees and others (they may be given as a deduction)',
  ],
  corporationLeavesOut: ['the corporate income tax rebate of the year', 'the exemption for new start-up companies'],
};
