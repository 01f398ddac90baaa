import { bracketParts, bracketRows, creditPart, levy, part, percent, plain } from '../levy.ts';
import { atLeastZero, min, money, sum, type Money } from '../money.ts';
import type { CanadaTable, OntarioTable } from '../tables/table-types.ts';
import type { Individual, Levy, PlaceRules, TableHead } from '../types.ts';
import { caOn2024 } from '../tables/ca-on-2024.ts';
import { caOn2025 } from '../tables/ca-on-2025.ts';
import {
  ca,
  canadaAssumes,
  canadaLeavesOut,
  canadaLevies,
  canadaRates,
  contributionsOf,
  corporationLevy,
  federalCorporation,
  taxableIncome,
} from './ca.ts';

/** Form ON428. */
function provincialTax(person: Individual, table: OntarioTable): Levy {
  const federal = federalOf(table);
  const { base, taxable } = taxableIncome(person, federal);
  const { base: pension, insurance } = contributionsOf(person, federal);
  const amounts = money(table.basicAmount).plus(pension).plus(insurance);
  const parts = bracketParts(taxable, table.brackets);
  parts.push(
    creditPart(
      `Personal amounts: ${percent(table.creditRate)} of ${plain(amounts)}`,
      parts,
      amounts.times(table.creditRate),
    ),
  );
  const basic = sum(parts.map(({ amount }) => amount));
  for (const [rate, from] of table.surtax)
    parts.push(
      part(
        `Surtax: ${percent(rate)} of the tax above ${plain(money(from))}`,
        atLeastZero(basic.minus(from)).times(rate),
      ),
    );
  parts.push(
    creditPart('Ontario tax reduction', parts, reduction(sum(parts.map(({ amount }) => amount)), person, table)),
  );
  parts.push(part('Ontario Health Premium', healthPremium(taxable, table)));
  return levy('Ontario income tax', 'tax', { base, taxable, parts });
}

/** Twice the personal amounts, less the tax. */
const reduction = (tax: Money, { children }: Individual, { reduction: { basic, child } }: OntarioTable): Money =>
  atLeastZero(money(child).times(children).plus(basic).times(2).minus(tax));

/** Each step: from which taxable income on, at which rate, up to which premium. */
const healthPremium = (taxable: Money, { healthPremium }: OntarioTable): Money => {
  let premium = money(0);
  for (const [from, rate, upTo] of healthPremium)
    if (taxable.greaterThan(from)) premium = min(premium.plus(taxable.minus(from).times(rate)), upTo);
  return premium;
};

function federalOf({ year }: TableHead): CanadaTable {
  const table = ca.tables.find((one) => one.year === year);
  if (!table) throw new Error(`no federal table of ${year}`);
  return table;
}

export const caOn: PlaceRules<OntarioTable> = {
  id: 'ca-on',
  name: 'Ontario',
  currency: 'CAD',
  tables: [caOn2024, caOn2025].map((table) => ({ ...table, sources: [...federalOf(table).sources, ...table.sources] })),
  uses: ['children', 'small'],
  individual: (person, table) => {
    const [tax, ...contributions] = canadaLevies(person, federalOf(table));
    return [...(tax ? [tax] : []), provincialTax(person, table), ...contributions];
  },
  corporation: ({ profit, isSmall }, table) => [
    federalCorporation(profit, isSmall, federalOf(table)),
    corporationLevy('Ontario corporation tax', { profit, isSmall, rules: table.corporation }),
  ],
  rates: (table) => [
    { title: 'Ontario income tax', rows: bracketRows(table.brackets) },
    {
      title: 'Ontario, other',
      rows: [
        ['Basic personal amount', `${plain(money(table.basicAmount))}, at ${percent(table.creditRate)}`],
        ...table.surtax.map(
          ([rate, from]) => ['Surtax', `${percent(rate)} of the tax above ${plain(money(from))}`] as const,
        ),
        [
          'Tax reduction',
          `twice ${plain(money(table.reduction.basic))}, and ${plain(money(table.reduction.child))} a child, less the tax`,
        ],
        ['Health premium', 'up to 900, by taxable income'],
        [
          'Corporations',
          `${percent(table.corporation.rate)}; small business ${percent(table.corporation.smallRate)} up to ${plain(money(table.corporation.smallUpTo))}`,
        ],
      ],
    },
    ...canadaRates(federalOf(table)),
  ],
  assumes: [...canadaAssumes, 'Further credits reduce the federal tax; further deductions count for both.'],
  leavesOut: [...canadaLeavesOut, 'the low-income individuals and families tax credit of Ontario'],
  corporationLeavesOut: ['the fall of the small business limit with capital and passive income'],
};
