import { dayOf, fullYear, monthOf, readDay, type DateOrder } from '../tables/dates.ts';

export type PeriodKind = 'month' | 'quarter' | 'half' | 'year';

/** A period of a statement. `last`: its last month, counted from year 0, by which periods are ordered. */
export type Period = { id: string; kind: PeriodKind; last: number };

/** How many of a kind are a year. */
export const periodsPerYear: Record<PeriodKind, number> = { month: 12, quarter: 4, half: 2, year: 1 };

/** What a column's header says: a period, or a day whose period depends on the other columns. */
export type Heading = Period | { day: string };

const yearOf = (year: number): Period => ({ id: String(year), kind: 'year', last: year * 12 + 11 });
export const monthPeriod = (year: number, month: number): Period => ({
  id: `${year}-${String(month).padStart(2, '0')}`,
  kind: 'month',
  last: year * 12 + month - 1,
});
const quarterOf = (year: number, quarter: number): Period => ({
  id: `${year}-Q${quarter}`,
  kind: 'quarter',
  last: year * 12 + quarter * 3 - 1,
});
const halfOf = (year: number, half: number): Period => ({
  id: `${year}-H${half}`,
  kind: 'half',
  last: year * 12 + half * 6 - 1,
});

/** The period of a kind that ends on a day. @returns undefined when it would be no quarter or half of the calendar */
export function periodEndingOn(day: string, kind: PeriodKind): Period | undefined {
  const [year = 0, month = 0] = day.split('-').map(Number);
  switch (kind) {
    case 'year':
      return { ...yearOf(year), last: year * 12 + month - 1 };
    case 'month':
      return monthPeriod(year, month);
    case 'quarter':
      return month % 3 === 0 ? quarterOf(year, month / 3) : undefined;
    case 'half':
      return month % 6 === 0 ? halfOf(year, month / 6) : undefined;
  }
}

/** Columns that are no figures of what was: they are left out and named. */
const otherColumn =
  /\b(?:budget|plan|planned|forecast|fc|soll|estimate|est|projection|projected|prevision|ytd|year to date|ltm|ttm|cumulated|kumuliert|total|sum|summe|gesamt|change|chg|var|variance|delta|abweichung|veranderung|variation|cagr|average|avg|note|notes|anhang)\b|\b\d{4}\s?[ebpf]\b|%|Δ/i;

const lengths: readonly [RegExp, PeriodKind][] = [
  [/\b(?:three|3)[ -]months?\b|\bquarter ended\b|\bquartal\b/i, 'quarter'],
  [/\b(?:six|6)[ -]months?\b|\bhalf[ -]year\b/i, 'half'],
  [/\b(?:twelve|12)[ -]months?\b|\byear ended\b|\bfiscal year ended\b|\bexercice clos\b/i, 'year'],
  [/\bmonth ended\b/i, 'month'],
];

/** Words that say nothing about the period. */
const fillers =
  /\b(?:actuals?|act|ist|audited|unaudited|restated|reported|fiscal year|financial year|year ended|month ended|quarter ended|months? ended|ended|as of|as at|at|per|zum|stand|au|le|clos|exercice|ejercicio|geschaftsjahr|jahr|year|quarter|half year|fy|gj|cy|three|six|twelve|in|the|for)\b/gi;

/** Units behind a period, as in `2024 (EUR m)`. */
const units =
  /\([^)]*\)|\b(?:T?EUR|TUSD|USD|GBP|CHF|JPY|INR|AUD|CAD|SGD|k€|T€|€m?|m€|[$£]\w*|mio\.?|tsd\.?|mn|bn)(?=\s|$)|['’]000|[$€£]\s?(?:k|m|bn|000)?/gi;

const withoutAccents = (text: string) => text.normalize('NFKD').replace(/\p{M}/gu, '');

/**
 * Reads the header of a column.
 *
 * @param yearAbove the year that stands above it, for `Q1` and `Jan`
 * @returns undefined when it names no period; `other` when it names figures that are not read, as a budget's
 */
export function readHeading(
  text: string,
  { order, yearAbove }: { order?: DateOrder; yearAbove?: number | undefined } = {},
): Heading | 'other' | undefined {
  const plain = withoutAccents(text).replace(/\s+/g, ' ').trim();
  if (plain === '' || plain.length > 60) return undefined;
  if (otherColumn.test(plain.replace(units, ' '))) return 'other';
  const kind = lengths.find(([pattern]) => pattern.test(plain))?.[1];
  const day = readDay(plain, order);
  const bare = plain
    .replace(/(\d{4})\s?A$/i, '$1')
    .replace(/\b(?:FY|GJ|CY)(?=['’]?\d)/i, '')
    .replace(units, ' ')
    .replace(/\b(?:3|6|12)[ -]months?\b/gi, ' ')
    .replace(fillers, ' ')
    .replace(/\s+/g, ' ')
    .replace(/^[ ,.:'’-]+|[ ,.:-]+$/g, '');
  const found = day ?? readDay(bare, order);
  if (found !== undefined) return kind ? (periodEndingOn(found, kind) ?? { day: found }) : { day: found };
  return readPeriod(bare, /\b(?:FY|GJ)\s?['’]?\d/i.test(plain), yearAbove);
}

function readPeriod(text: string, isFiscal: boolean, yearAbove: number | undefined): Period | undefined {
  const match = (pattern: RegExp) => pattern.exec(text);
  const year = match(/^(19|20|21)(\d\d)$/);
  if (year) return yearOf(Number(text));
  if (isFiscal && /^\d\d$/.test(text)) return yearOf(fullYear(text));
  const twoYears = match(/^((?:19|20)\d\d)\s?[/-]\s?(\d{4}|\d\d)$/);
  if (twoYears) {
    const [first, second] = [Number(twoYears[1]), twoYears[2] ?? ''];
    const last = second.length === 4 ? Number(second) : Math.floor(first / 100) * 100 + Number(second);
    if (last === first + 1) return yearOf(last);
    if (second.length === 2 && Number(second) <= 12) return monthIn(first, Number(second));
    return undefined;
  }
  const part =
    match(/^([QHTS])\s?([1-4])(?:\s?[-/ ]?\s?['’]?(\d{4}|\d\d))?$/i) ??
    reordered(match(/^(\d{4})\s?[-/ ]?\s?([QHTS])\s?([1-4])$/i)) ??
    swapped(match(/^([1-4])(?:\.|er|e|º)?\s?([QHTS]|Quartal|Halbjahr|trimestre|semestre)\s?['’]?(\d{4}|\d\d)?$/i));
  if (part) return partOf(part[1] ?? '', Number(part[2]), part[3] === undefined ? yearAbove : fullYear(part[3]));
  const monthFirst = match(/^(\d{1,2})\s?[/.-]\s?(\d{4})$/);
  if (monthFirst) return monthIn(Number(monthFirst[2]), Number(monthFirst[1]));
  const compact = match(/^((?:19|20)\d\d)\s?[/.M-]?\s?(\d\d)$/i);
  if (compact) return monthIn(Number(compact[1]), Number(compact[2]));
  const named =
    match(/^(\p{L}{3,10})\.?(?:\s?[-/ .]?\s?['’]?(\d{4}|\d\d))?$/u) ??
    backwards(match(/^(\d{4})[- /](\p{L}{3,10})\.?$/u));
  const month = named && monthOf(named[1] ?? '');
  const ofYear = named?.[2] === undefined ? yearAbove : fullYear(named[2]);
  return month && ofYear !== undefined ? monthPeriod(ofYear, month) : undefined;
}

type Parts = (string | undefined)[] | null | undefined;
const reordered = (found: Parts): Parts => found && [found[0], found[2], found[3], found[1]];
const swapped = (found: Parts): Parts => found && [found[0], found[2], found[1], found[3]];
const backwards = (found: Parts): Parts => found && [found[0], found[2], found[1]];

const monthIn = (year: number, month: number): Period | undefined =>
  dayOf(year, month, 1) === undefined ? undefined : monthPeriod(year, month);

function partOf(letter: string, number: number, year: number | undefined): Period | undefined {
  if (year === undefined) return undefined;
  if (/^[QT]/i.test(letter)) return quarterOf(year, number);
  return number <= 2 ? halfOf(year, number) : undefined;
}
