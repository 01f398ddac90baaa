import type { JsonValue } from '../../contract/json.ts';
import type { PlaceId } from './intents.ts';

type Call = { name: string; arguments: Record<string, JsonValue> };

/** Names of places in words. A name that another one holds stands behind it: “New York” before “York”. */
const names: readonly (readonly [RegExp, PlaceId])[] = [
  [/\bcalifornia\b/iu, 'us-ca'],
  [/\bnew york\b/iu, 'us-ny'],
  [/\btexas\b/iu, 'us-tx'],
  [/\bflorida\b/iu, 'us-fl'],
  [/\bscotland\b|\bscottish\b/iu, 'gb-sct'],
  [/\bunited kingdom\b|\bUK\b|\bengland\b|\bwales\b|\bnorthern ireland\b/iu, 'gb'],
  [/\bontario\b/iu, 'ca-on'],
  [/\bcanad(?:a|ian)\b/iu, 'ca'],
  [/\baustralian?\b/iu, 'au'],
  [/\bsingapore\b/iu, 'sg'],
  [/\bjapan(?:ese)?\b/iu, 'jp'],
  [/\bindian?\b/iu, 'in'],
  [/\bgerman[y]?\b/iu, 'de'],
  [/\bfrance\b|\bfrench\b/iu, 'fr'],
  [/(?<!northern )\bireland\b|\birish\b/iu, 'ie'],
  [/\bus federal\b|\bunited states\b|\bUSA\b|\bU\.S\.|\bfederal tax\b/iu, 'us'],
];

/** A country that is named beside one of its parts adds nothing. */
const wholes: Partial<Record<PlaceId, readonly PlaceId[]>> = {
  us: ['us-ca', 'us-ny', 'us-tx', 'us-fl'],
  ca: ['ca-on'],
};

const currencies: Readonly<Record<string, string>> = { $: '', '£': 'GBP', '€': 'EUR', '¥': 'JPY', '₹': 'INR' };
const codes = 'USD|GBP|EUR|CAD|AUD|SGD|JPY|INR';
const amountPattern = new RegExp(
  `(?<symbol>[$£€¥₹])?\\s?(?<digits>\\d{1,3}(?:,\\d{2,3})+(?:\\.\\d{1,2})?|\\d+(?:\\.\\d{1,2})?)\\s?(?<unit>k\\b|lakh\\b|million\\b|m\\b)?\\s?(?<code>(?:${codes})\\b)?`,
  'giu',
);
const factors: Readonly<Record<string, number>> = { k: 1_000, lakh: 100_000, million: 1_000_000, m: 1_000_000 };

/** A number as `amountPattern` reads it. */
const plainNumber = /^(?:\d{1,3}(?:,\d{3})+|\d{1,2}(?:,\d{2})+,\d{3}|\d+)(?:\.\d{1,2})?$/u;

/** Whether a number is negative or may be read in two ways, as 50.000, 1.250,50 and 50 000. */
const hasOddNumber = (text: string): boolean =>
  /[-−–]\s?[$£€¥₹]?\s?\d|\d[\s'’]\d{3}(?!\d)/u.test(text) ||
  [...text.matchAll(/\d[\d.,]*/gu)].some(([number]) => !plainNumber.test(number.replace(/[.,]+$/u, '')));

/** What the calculation has no field for: a model, or a person, must read such a request. */
const unreadable =
  /\b(?:months?|monthly|weeks?|weekly|fortnight\w*|hours?|hourly|days?|daily|quarters?|quarterly|city|minus|negative|loss(?:es)?|VAT|GST|sales tax|dividends?|capital gains?|shares?|self-employed|freelance|withholding|stock|property|inherit\w*|gift|bonus|pension|invoice|deductible|refund|rent|loan|fine|penalty)\b/iu;

/** Words that ask for an amount of tax, or for what is left after it. */
const wantsTax =
  /\btax(?:es)?\s+(?:is\s+due\s+)?(?:on|for|of|with|at)\b|\b(?:what|which|how\s+much)\b[^.?!]*\b(?:tax(?:es)?|owe|left|net|take[- ]home)\b|\bowe\b/iu;

const fileName =
  /"([^"\n]+\.(?:csv|tsv|xlsx|xlsm|jsonl?|ndjson))"|([\p{L}\p{N}._/-]+\.(?:csv|tsv|xlsx|xlsm|jsonl?|ndjson))\b/giu;
const attached = /\(documentId ([0-9a-f-]{36})\)/g;
const analysisWords =
  /\b(?:analy[sz]e|analysis|ratios?|runway|burn|liquidity|solvency|margins?|balance sheet|income statement|cash flow|statements?|anomal(?:y|ies)|trends?)\b/iu;
const checkWords = /\b(?:check|compliance|duplicates?|transactions?|payments?|invoices?|ledger|bookings?|expenses)\b/iu;

/**
 * Reads a request in words as a call of a tool.
 *
 * @returns undefined when the words may ask for something else
 */
export const callOf = (text: string): Call | undefined => tablesCallOf(text) ?? taxCallOf(text);

/** “Analyse acme.xlsx”, “Check payments.csv against the rules of Germany”: files by their names, or attached ones. */
function tablesCallOf(text: string): Call | undefined {
  const [words = ''] = text.split('\n\nFiles that I have attached', 1);
  const files = [...text.matchAll(attached)].map(([, id = '']) => id);
  const named = [...words.matchAll(fileName)].map(([, quoted, plain = '']) => quoted ?? plain);
  const documents = (files.length > 0 ? files : named).map((document) => ({ document }));
  const plain = words.replace(fileName, ' ');
  const [analyses, checks] = [analysisWords.test(plain), checkWords.test(plain)];
  if (documents.length === 0 || documents.length > 6 || analyses === checks) return undefined;
  if (analyses) return { name: 'analyse_statements', arguments: { statements: documents } };
  const [place, ...others] = placesIn(plain);
  if (others.length > 0) return undefined;
  const isSales = /\b(?:sales|issued|our (?:own )?invoices)\b/iu.test(plain);
  return {
    name: 'check_transactions',
    arguments: { transactions: documents, ...(place ? { place } : {}), ...(isSales ? { direction: 'sales' } : {}) },
  };
}

/**
 * Reads a simple question for a tax or for rates: “What tax on 180,000 USD single in California and Texas, 2025?”
 *
 * @returns undefined when the words may ask for something else
 */
export function taxCallOf(text: string): Call | undefined {
  const places = placesIn(text);
  if (places.length === 0 || places.length > 6 || unreadable.test(text)) return undefined;
  const year = /\b(20\d\d(?:[-/]\d{2,4})?)\b/u.exec(text)?.[1];
  const common = { places, ...(year === undefined ? {} : { year }) };
  const others = year === undefined ? text : text.replace(year, '|');
  if (hasOddNumber(others)) return undefined;
  const amounts = amountsIn(others);
  if (amounts.length === 0)
    return /\b(?:rates?|brackets?|bands?|allowances?|thresholds?|tariff)\b/iu.test(text)
      ? { name: 'show_rates', arguments: common }
      : undefined;
  const [amount, ...more] = amounts;
  if (!amount || more.length > 0 || !wantsTax.test(text)) return undefined;
  const isCorporation = /\b(?:corporat\w+|company|companies|GmbH|Ltd|profits?)\b/iu.test(text);
  return {
    name: 'calculate_tax',
    arguments: {
      ...common,
      income: amount.value,
      ...(amount.currency === '' ? {} : { currency: amount.currency }),
      ...(isCorporation ? { entity: 'corporation' } : personIn(text)),
    },
  };
}

function placesIn(text: string): PlaceId[] {
  const found = names
    .map(([pattern, id]) => ({ id, at: text.search(pattern) }))
    .filter(({ at }) => at !== -1)
    .sort((a, b) => a.at - b.at)
    .map(({ id }) => id);
  return found.filter((id) => !wholes[id]?.some((part) => found.includes(part)));
}

type Amount = { value: string; currency: string };

/** Amounts with a currency, or above what an age or a number of children can be. */
function amountsIn(text: string): Amount[] {
  return [...text.matchAll(amountPattern)].flatMap(({ groups = {} }) => {
    const { symbol, digits = '', unit, code } = groups;
    const plain = Number(digits.replaceAll(',', ''));
    const factor = factors[unit?.toLowerCase() ?? ''] ?? 1;
    if (!symbol && !code && !unit && plain < 1_000) return [];
    const value = String(Math.round(plain * factor * 100) / 100);
    return [{ value, currency: code?.toUpperCase() ?? currencies[symbol ?? ''] ?? '' }];
  });
}

function personIn(text: string): Record<string, JsonValue> {
  const children = /\b(\d{1,2}|one|two|three)\s+(?:child(?:ren)?|kids?|dependants?|dependents?)\b/iu.exec(text)?.[1];
  const age = /\b(?:aged?|age of)\s+(\d{1,3})\b/iu.exec(text)?.[1];
  const words: Readonly<Record<string, number>> = { one: 1, two: 2, three: 3 };
  return {
    ...statusIn(text),
    ...(children === undefined ? {} : { children: words[children.toLowerCase()] ?? Number(children) }),
    ...(age === undefined ? {} : { age: Number(age) }),
    ...(/\bold regime\b/iu.test(text) ? { regime: 'old' } : {}),
  };
}

function statusIn(text: string): { status?: string } {
  if (/\bseparate(?:ly)?\b/iu.test(text)) return { status: 'separate' };
  if (/\bhead of household\b|\bsingle parent\b/iu.test(text)) return { status: 'head' };
  if (/\bmarried\b|\bjoint(?:ly)?\b|\bcouple\b/iu.test(text)) return { status: 'married' };
  return /\bsingle\b/iu.test(text) ? { status: 'single' } : {};
}
