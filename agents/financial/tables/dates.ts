import { AlfredError } from '../../../contract/errors.ts';

export type DateOrder = 'dmy' | 'mdy';

/** Names of months in English, German, French, Spanish, Italian and Dutch, without accents. */
const monthNames = [
  'jan january januar jaenner janner janv janvier ene enero gen gennaio januari',
  'feb february februar fev fevr fevrier febrero febbraio februari',
  'mar march mrz marz maerz mars marzo maart mrt',
  'apr april avr avril abr abril aprile',
  'may mai mayo mag maggio mei',
  'jun june juni juin junio giu giugno',
  'jul july juli juil juillet julio lug luglio',
  'aug august aou aout ago agosto augustus',
  'sep sept september septembre septiembre setiembre set settembre',
  'oct october okt oktober octobre octubre ott ottobre',
  'nov november novembre noviembre',
  'dec december dez dezember decembre dic diciembre dicembre',
].map((names) => new Set(names.split(' ')));

/** The number of a month by its name. */
export function monthOf(word: string): number | undefined {
  const plain = word.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase().replace('.', '');
  const found = monthNames.findIndex((names) => names.has(plain));
  return found < 0 ? undefined : found + 1;
}

/** 24 is 2024, 99 is 1999. */
export const fullYear = (digits: string): number =>
  digits.length === 4 ? Number(digits) : Number(digits) + (Number(digits) < 70 ? 2000 : 1900);

/** A day as `2024-12-31`; undefined when there is no such day. */
export function dayOf(year: number, month: number, day: number): string | undefined {
  const date = new Date(Date.UTC(year, month - 1, day));
  const isReal = date.getUTCFullYear() === year && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  return isReal && year >= 1900 && year < 2200 ? date.toISOString().slice(0, 10) : undefined;
}

/** The parts of a day whose first two numbers may be day and month in either order. */
const twoOrders = /^(\d{1,2})[/-](\d{1,2})[/-](\d{4}|\d{2})(?:[ T,]+\d{1,2}:\d{2}.*)?$/;

/** Reads a day in the forms that files have. `order`: of 3/4/2024. @returns undefined when it is no day */
export function readDay(text: string, order: DateOrder = 'dmy'): string | undefined {
  const plain = text.trim();
  const iso = /^(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[ T].*)?$/.exec(plain) ?? /^(\d{4})(\d\d)(\d\d)$/.exec(plain);
  if (iso) return dayOf(Number(iso[1]), Number(iso[2]), Number(iso[3]));
  const dotted = /^(\d{1,2})\.\s?(\d{1,2})\.\s?(\d{4}|\d{2})(?:[ ,]+\d{1,2}:\d{2}.*)?$/.exec(plain);
  if (dotted) return dayOf(fullYear(dotted[3] ?? ''), Number(dotted[2]), Number(dotted[1]));
  const either = twoOrders.exec(plain);
  if (either) {
    const [first, second] = [Number(either[1]), Number(either[2])];
    const [day, month] = order === 'dmy' ? [first, second] : [second, first];
    return dayOf(fullYear(either[3] ?? ''), month, day);
  }
  const named = /^(\d{1,2})(?:st|nd|rd|th|er|\.)?[ -]+(?:de )?(\p{L}{3,10})\.?(?: de)?[ ,-]+(\d{4}|\d{2})$/u.exec(
    plain,
  );
  if (named) return ofNamed(named[3], named[2], named[1]);
  const english = /^(\p{L}{3,10})\.? (\d{1,2})(?:st|nd|rd|th)?,? (\d{4})$/u.exec(plain);
  return english ? ofNamed(english[3], english[1], english[2]) : undefined;
}

function ofNamed(year = '', name = '', day = ''): string | undefined {
  const month = monthOf(name);
  return month === undefined ? undefined : dayOf(fullYear(year), month, Number(day));
}

/**
 * Finds the order of day and month in a column from all of its days. It is never guessed: a day after the 12th decides,
 * else `usual`, the order of the place that the request names.
 *
 * @throws AlfredError `invalid_request` when days contradict each other or none decides
 */
export function findDateOrder(
  table: string,
  days: Iterable<{ text: string; where: string }>,
  usual: DateOrder | undefined,
): DateOrder {
  const sure = new Map<DateOrder, string>();
  let open: string | undefined;
  for (const { text, where } of days) {
    const [, first, second] = twoOrders.exec(text.trim()) ?? [];
    if (first === undefined || second === undefined || first === second) continue;
    const shown = `${text.trim()} (${where})`;
    if (Number(first) > 12) sure.set('dmy', sure.get('dmy') ?? shown);
    else if (Number(second) > 12) sure.set('mdy', sure.get('mdy') ?? shown);
    else open ??= shown;
  }
  const [dmy, mdy] = [sure.get('dmy'), sure.get('mdy')];
  if (dmy && mdy)
    throw new AlfredError(
      'invalid_request',
      `${table} has days in two orders: ${dmy} and ${mdy}. Write all of them in one way.`,
    );
  if (dmy || mdy) return dmy ? 'dmy' : 'mdy';
  if (open === undefined || usual) return usual ?? 'dmy';
  throw new AlfredError(
    'invalid_request',
    `${table} does not show whether ${open} begins with the day or the month. Say it with dateOrder: "dmy" or "mdy".`,
  );
}
