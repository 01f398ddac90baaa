import type { Span } from '../../../contract/rules/sentences.ts';

/** What quantities are compared by. `months`: a period in months or years; `days`: any period. */
export type QuantityUnit = 'days' | 'months' | 'percent' | 'money' | 'law' | 'court';

/** A quantity in a text. `value`: in days, percent or units of money; a place as it is written. */
export type Quantity = Span & {
  unit: 'days' | 'percent' | 'money' | 'law' | 'court';
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
  `(?<![\\p{L}\\d])(?:(\\d{1,9}(?:\\.\\d{1,9})?)|(${numberWords}))(?:\\s{0,20}\\(\\s{0,5}(\\d{1,9})\\s{0,5}\\))?[\\s-]{1,20}(?:(?:business|calendar|working|full|consecutive)\\s{1,20})?(hour|day|week|month|quarter|year)(?:s|s[’']|[’']s|[’'])?(?!\\p{L})`,
  'giu',
);
/** No repetition in these is without a bound. A rate for each month is compared as the rate of a year. */
const percent =
  /(?<!\d)(\d{1,9}(?:[.,]\d{1,9})?)(?:\s{0,20}\([^)]{1,30}\))?\s{0,20}(?:%|per\s?cent\b)(?:(\s{0,20}(?:per|a|each|every)\s{1,20}(?:calendar\s{1,20})?month|\s{1,20}monthly)|\s{0,20}(?:per|a)\s{1,20}(?:year|annum))?/gi;
const money =
  /(?:(?:EUR|USD|GBP|CHF|US\$|[€$£])\s?(\d[\d,.' ]{0,30}\d|\d)(?:\s{0,5}(million|m)\b)?|(?<!\d)(\d[\d,.' ]{0,30}\d|\d)(?:\s{0,5}(million|m))?\s?(?:EUR|USD|GBP|CHF|euros?|dollars|pounds)\b)/gi;
/** A name of one to four words, with what may stand before it. */
const name =
  /\s{1,20}(?:(?:shall|will)\s{1,20}be\s{1,20})?(?:(?:located|seated|sitting)\s{1,20})?(?:of|in|at|is)\s{1,20}(?:the\s{1,20})?(?:(?:State|Republic|Commonwealth|Province|Federal Republic|Kingdom|City)\s{1,20}of\s{1,20})?(\p{Lu}\p{L}{1,40}(?:(?:,? and |,? |\s)\p{Lu}\p{L}{1,40}){0,3})/u
    .source;
/** Places as they stand in clauses on law, and on courts. */
const places = {
  law: new RegExp(`\\blaws?${name}`, 'gu'),
  court: new RegExp(`\\b(?:courts?|jurisdiction|arbitration|seat|venue|tribunals?)${name}`, 'gu'),
};

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

/** Places whose law, or whose courts, a clause names. Offsets are those of the name alone. */
export const placesIn = (text: string, unit: 'law' | 'court'): Quantity[] =>
  [...text.matchAll(places[unit])].flatMap((match) => {
    const [whole, found = ''] = match;
    const start = match.index + whole.length - found.length;
    const isPlace = !/^(?:This|The|Agreement|Party|Parties|Any|Each|All)\b/.test(found);
    return isPlace ? [{ start, end: start + found.length, unit, value: 0, text: found, isLong: false }] : [];
  });

/** Whether a quantity is of the kind that a topic compares. */
export const fitsUnit = (quantity: Quantity, unit: QuantityUnit): boolean =>
  unit === 'months' ? quantity.unit === 'days' && quantity.isLong : quantity.unit === unit;
