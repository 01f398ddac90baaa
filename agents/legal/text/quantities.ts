import type { Span } from '../../../contract/rules/sentences.ts';

/** What quantities are compared by. `months`: a period in months or years; `days`: any period. */
export type QuantityUnit = 'days' | 'months' | 'percent' | 'money' | 'place';

/** A quantity in a text. `value`: in days, percent or units of money; `place` as it is written. */
export type Quantity = Span & {
  unit: 'days' | 'percent' | 'money' | 'place';
  value: number;
  text: string;
  isLong: boolean;
};

const numbers: Record<string, number> = {
  a: 1,
  one: 1,
  two: 2,
  three: 3,
  four: 4,
  five: 5,
  six: 6,
  seven: 7,
  eight: 8,
  nine: 9,
  ten: 10,
  twelve: 12,
  fourteen: 14,
  fifteen: 15,
  eighteen: 18,
  twenty: 20,
  'twenty-one': 21,
  'twenty-four': 24,
  thirty: 30,
  'thirty-six': 36,
  'forty-five': 45,
  'forty-eight': 48,
  sixty: 60,
  'seventy-two': 72,
  'seventy-five': 75,
  ninety: 90,
  'one hundred and twenty': 120,
  'one hundred twenty': 120,
  'one hundred and eighty': 180,
  'one hundred eighty': 180,
};
const numberWords = Object.keys(numbers)
  .sort((a, b) => b.length - a.length)
  .join('|');
const daysIn = { hour: 1 / 24, day: 1, week: 7, month: 30, quarter: 90, year: 360 } as const;

const period = new RegExp(
  `(?<![\\p{L}\\d])(?:(\\d+(?:\\.\\d+)?)|(${numberWords}))(?:\\s*\\(\\s*(\\d+)\\s*\\))?[\\s-]+(?:(?:business|calendar|working|full|consecutive)\\s+)?(hour|day|week|month|quarter|year)(?:s|s[’']|[’']s|[’'])?(?!\\p{L})`,
  'giu',
);
/** A rate for each month is compared as the rate of a year. */
const percent =
  /(\d+(?:[.,]\d+)?)(?:\s*\([^)]{1,30}\))?\s*(?:%|per\s?cent\b)(?:(\s*(?:per|a|each|every)\s+(?:calendar\s+)?month|\s+monthly)|\s*(?:per|a)\s+(?:year|annum))?/gi;
const money =
  /(?:(?:EUR|USD|GBP|CHF|US\$|[€$£])\s?(\d[\d,.' ]*\d|\d)(?:\s*(million|m)\b)?|(\d[\d,.' ]*\d|\d)(?:\s*(million|m))?\s?(?:EUR|USD|GBP|CHF|euros?|dollars|pounds)\b)/gi;
/** Places as they stand in clauses on law and courts. */
const place =
  /\b(?:laws?|courts?|jurisdiction|arbitration|seat|venue|tribunals?|located|sitting|sits)\s+(?:(?:shall|will)\s+be\s+)?(?:of|in|at|located in|seated in|is)?\s*(?:the\s+)?(?:courts?\s+(?:of|in)\s+)?(?:(?:State|Republic|Commonwealth|Province|Federal Republic|Kingdom)\s+of\s+)?(\p{Lu}\p{L}+(?:(?:,? and |,? |\s)\p{Lu}\p{L}+){0,3})/gu;

/** All quantities of a text, in their order. */
export function quantitiesIn(text: string): Quantity[] {
  const found: Quantity[] = [];
  const add = (match: RegExpMatchArray, quantity: Pick<Quantity, 'unit' | 'value'> & { isLong?: boolean }) =>
    found.push({
      start: match.index ?? 0,
      end: (match.index ?? 0) + match[0].length,
      text: match[0],
      isLong: false,
      ...quantity,
    });
  for (const match of text.matchAll(period)) {
    const [, digits, words = '', inBrackets, unit = 'day'] = match;
    const count = Number(inBrackets ?? digits ?? numbers[words.toLowerCase()] ?? NaN);
    const name = unit.toLowerCase() as keyof typeof daysIn;
    if (Number.isFinite(count))
      add(match, { unit: 'days', value: count * daysIn[name], isLong: name === 'month' || name === 'year' });
  }
  for (const match of text.matchAll(percent))
    add(match, { unit: 'percent', value: Number(match[1]?.replace(',', '.')) * (match[2] ? 12 : 1) });
  for (const match of text.matchAll(money)) {
    const amount = Number((match[1] ?? match[3] ?? '').replace(/[,' ]/g, ''));
    if (Number.isFinite(amount))
      add(match, { unit: 'money', value: amount * ((match[2] ?? match[4]) ? 1_000_000 : 1) });
  }
  return found.sort((a, b) => a.start - b.start);
}

/** Places whose law or courts a clause names. Offsets are those of the name alone. */
export function placesIn(text: string): Quantity[] {
  return [...text.matchAll(place)].flatMap((match) => {
    const name = match[1] ?? '';
    const start = (match.index ?? 0) + match[0].length - name.length;
    return /^(?:This|The|Agreement|Party|Parties|Any|Each|All)\b/.test(name)
      ? []
      : [{ start, end: start + name.length, unit: 'place' as const, value: 0, text: name, isLong: false }];
  });
}

/** Whether a quantity is of the kind that a topic compares. */
export const fitsUnit = (quantity: Quantity, unit: QuantityUnit): boolean =>
  unit === 'months' ? quantity.unit === 'days' && quantity.isLong : quantity.unit === unit;
