import { plainName } from '../tables/names.ts';

const scales: readonly [RegExp, number][] = [
  [/\b(?:billions?|milliarden|milliards|bn|mrd\.?)\b|[$€£]\s?bn\b/i, 1_000_000_000],
  [/\bcrores?\b/i, 10_000_000],
  [
    /\b(?:millions?|millionen|millones|milioni|mio\.?|mln\.?)\b|(?:[$€£]\s?|\b(?:EUR|USD|GBP|CHF|US\$)\s?)(?:m|mn|mm)\b|\b(?:m|mn)\s?(?:[€$£]|EUR|USD|GBP|CHF)/i,
    1_000_000,
  ],
  [/\b(?:lakhs?|lacs?)\b/i, 100_000],
  [
    /\b(?:thousands?|tausend|milliers|miles|migliaia|tsd\.?|T€|TEUR|TUSD|TCHF|kEUR|kUSD|kGBP)\b|T€|(?:[$€£]\s?|\b(?:EUR|USD|GBP|CHF)\s?)(?:k|['’]?000s?)\b|\bk\s?(?:[€$£]|EUR\b|USD\b|GBP\b)|['’]000s?\b|\(000s?\)|\b000s\b/i,
    1_000,
  ],
];

const currencies: readonly [RegExp, string][] = [
  [/€|\b[Tkm]?EUR\b|\beuros?\b/i, 'EUR'],
  [/£|\bk?GBP\b/i, 'GBP'],
  [/\b[Tk]?USD\b|US\$|\bUS dollars?\b/i, 'USD'],
  [/\bT?CHF\b/, 'CHF'],
  [/₹|\bINR\b|\bRs\b/, 'INR'],
  [/\bJPY\b|¥|\byen\b/i, 'JPY'],
  [/\bAUD\b|A\$/, 'AUD'],
  [/\bCAD\b|C\$/, 'CAD'],
  [/\bSGD\b|S\$/, 'SGD'],
  [/(?<![A-Z])\$/, '$'],
];

/** What a title or header says about the unit of the amounts below it: `in thousands of EUR` is 1000 and EUR. */
export function readUnits(text: string): { scale: number | undefined; currency: string | undefined } {
  return {
    scale: scales.find(([pattern]) => pattern.test(text))?.[1],
    currency: currencies.find(([pattern]) => pattern.test(text))?.[1],
  };
}

/** Whether a text speaks of nothing but a unit, so that it is no line item. */
export const isUnitLine = (text: string): boolean =>
  readUnits(text).scale !== undefined && plainName(text).split(' ').length <= 8;

export const scaleName: Record<number, string> = {
  1_000: 'thousands',
  100_000: 'lakhs',
  1_000_000: 'millions',
  10_000_000: 'crores',
  1_000_000_000: 'billions',
};
