import { AlfredError } from '../../../contract/errors.ts';
import type { PlaceId } from '../intents.ts';
import { places } from './places/index.ts';
import type { PlaceYear } from './types.ts';

const startOf = ({ year }: PlaceYear): number => Number(year.slice(0, 4));

/**
 * The table of each place for a tax year. Without a year: the latest that all of the places have.
 *
 * @throws AlfredError `invalid_request` for a year without a table, with those that there are
 */
export function chooseYears(ids: readonly PlaceId[], year: string | undefined): PlaceYear[] {
  if (year !== undefined) return ids.map((id) => tableOf(id, year));
  const known = ids.map((id) => places[id].map(startOf));
  const shared = known[0]?.filter((start) => known.every((starts) => starts.includes(start))) ?? [];
  const latest = shared.at(-1);
  if (latest === undefined)
    throw new AlfredError(
      'invalid_request',
      `No year is known for all of these places. ${ids.map(knownYears).join(' ')}`,
    );
  return ids.map((id) => tableOf(id, String(latest)));
}

function tableOf(id: PlaceId, year: string): PlaceYear {
  const [, start = '', end] = /^(\d{4})(?:[-/](\d{2,4}))?$/.exec(year) ?? [];
  const table = places[id].find((one) => one.year.startsWith(start));
  const isPair = end === undefined || Number(end.slice(-2)) === (Number(start) + 1) % 100;
  if (!table || !isPair || (end !== undefined && !table.year.includes('-')))
    throw new AlfredError('invalid_request', `The tax year ${year} is not known. ${knownYears(id)}`);
  return table;
}

const knownYears = (id: PlaceId): string =>
  `${places[id][0]?.name ?? id} has ${places[id].map(({ year }) => year).join(', ')}.`;
