import type { UsTable } from '../tables/table-types.ts';
import type { PlaceId } from '../../intents.ts';
import type { Money } from '../money.ts';
import type { Cliff, Individual, Levy, PlaceRules, RateSection, TableHead } from '../types.ts';
import {
  corporationLeavesOut,
  federalAssumes,
  federalCorporation,
  federalLeavesOut,
  federalLevies,
  federalRates,
  us,
} from './us.ts';

type State<T extends TableHead> = {
  id: PlaceId;
  name: string;
  tables: readonly T[];
  individual: (person: Individual, table: T) => Levy[];
  corporation?: (profit: Money, table: T) => Levy[];
  noCorporation?: string;
  rates: (table: T) => RateSection[];
  assumes?: readonly string[];
  leavesOut: readonly string[];
  cliffs?: (table: T) => readonly Cliff[];
};

/** A state with the federal taxes of the same year before its own. */
export function inState<T extends TableHead>(state: State<T>): PlaceRules<T> {
  const { corporation, ...rest } = state;
  return {
    ...rest,
    tables: state.tables.map((table) => ({ ...table, sources: [...federalOf(table).sources, ...table.sources] })),
    currency: us.currency,
    isJoint: true,
    uses: us.uses,
    individual: (person, table) => [...federalLevies(person, federalOf(table)), ...state.individual(person, table)],
    ...(corporation && {
      corporation: ({ profit }, table) => [federalCorporation(profit, federalOf(table)), ...corporation(profit, table)],
    }),
    rates: (table) => [...state.rates(table), ...federalRates(federalOf(table))],
    assumes: [
      ...federalAssumes,
      'Further credits reduce the federal tax; further deductions count for federal and state tax.',
      ...(state.assumes ?? []),
    ],
    leavesOut: [...federalLeavesOut, ...state.leavesOut],
    corporationLeavesOut: [...corporationLeavesOut, 'the deduction of state taxes from the federal profit'],
  };
}

function federalOf({ year }: TableHead): UsTable {
  const table = us.tables.find((one) => one.year === year);
  if (!table) throw new Error(`no federal table of ${year}`);
  return table;
}
