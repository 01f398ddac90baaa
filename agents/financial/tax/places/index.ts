import type { PlaceId } from '../../intents.ts';
import type { PlaceRules, PlaceYear, TableHead } from '../types.ts';
import { au } from './au.ts';
import { caOn } from './ca-on.ts';
import { ca } from './ca.ts';
import { de } from './de.ts';
import { fr } from './fr.ts';
import { gb, gbSct } from './gb.ts';
import { ie } from './ie.ts';
import { india } from './in.ts';
import { jp } from './jp.ts';
import { sg } from './sg.ts';
import { usCa } from './us-ca.ts';
import { usNy } from './us-ny.ts';
import { usFl, usTx } from './us-without-tax.ts';
import { us } from './us.ts';

/** Every year of a place, oldest first. */
function yearsOf<T extends TableHead>(rules: PlaceRules<T>): PlaceYear[] {
  const {
    individual,
    corporation,
    rates,
    cliffs,
    assumes,
    leavesOut,
    corporationLeavesOut = [],
    tables,
    ...rest
  } = rules;
  return tables.map((table) => ({
    ...rest,
    ...table,
    individual: (person) => individual(person, table),
    ...(corporation && { corporation: (profit) => corporation(profit, table) }),
    rates: () => rates(table),
    assumes,
    leavesOut: typeof leavesOut === 'function' ? leavesOut(table) : leavesOut,
    corporationLeavesOut,
    cliffs: () => cliffs?.(table) ?? [],
  }));
}

/** What is known, by place. */
export const places: Record<PlaceId, PlaceYear[]> = {
  us: yearsOf(us),
  'us-ca': yearsOf(usCa),
  'us-ny': yearsOf(usNy),
  'us-tx': yearsOf(usTx),
  'us-fl': yearsOf(usFl),
  gb: yearsOf(gb),
  'gb-sct': yearsOf(gbSct),
  ca: yearsOf(ca),
  'ca-on': yearsOf(caOn),
  au: yearsOf(au),
  sg: yearsOf(sg),
  jp: yearsOf(jp),
  in: yearsOf(india),
  de: yearsOf(de),
  fr: yearsOf(fr),
  ie: yearsOf(ie),
};
