import { Decimal } from 'decimal.js';
import { AlfredError } from '../../../contract/errors.ts';

export type DecimalMark = '.' | ',';

/** An amount as a cell has it, before it is known which of `.` and `,` is the decimal mark. */
type Written = { core: string; isNegative: boolean; isPercent: boolean; currency: string | undefined };
export type Amount = { value: Decimal; isPercent: boolean; currency: string | undefined };

/** Cells that say that there is no figure. */
const emptyCell = /^(?:|-+|–|—|\.+|n\/?a|n\.a\.|nil|none|null|k\.\s?a\.|s\.o\.)$/i;
export const isEmptyCell = (text: string) => emptyCell.test(text.trim());

const currencyWords = '(?:[A-Z]{1,2}\\$|[€$£¥₹]|[A-Z]{3}|Rs\\.?|kr\\.?|zł|Fr\\.)';
const leading = new RegExp(`^${currencyWords}\\s*`);
const trailing = new RegExp(`\\s*${currencyWords}$`);

/** The name of a currency by its sign. `$` stays as it is: several countries have it. */
const codes = new Map(
  Object.entries({
    '€': 'EUR',
    '£': 'GBP',
    '₹': 'INR',
    Rs: 'INR',
    'Rs.': 'INR',
    US$: 'USD',
    A$: 'AUD',
    C$: 'CAD',
    S$: 'SGD',
    'Fr.': 'CHF',
    zł: 'PLN',
  }),
);
export const currencyCode = (word: string): string => codes.get(word.trim()) ?? word.trim();

/** @returns undefined when the text is no amount */
export function writtenAmount(text: string): Written | undefined {
  let rest = text
    .normalize('NFKC')
    .replace(/[\u2212\u2010-\u2013]/g, '-')
    .trim();
  let isNegative = false;
  let isPercent = false;
  let currency: string | undefined;
  const take = (pattern: RegExp): string | undefined => {
    const found = pattern.exec(rest)?.[0];
    if (found !== undefined) rest = rest.replace(pattern, '').trim();
    return found;
  };
  const takeCurrency = () => {
    const found = take(leading) ?? take(trailing);
    if (found !== undefined) currency ??= currencyCode(found);
  };
  takeCurrency();
  if (/^\(.*\)$/.test(rest)) {
    isNegative = true;
    rest = rest.slice(1, -1).trim();
    takeCurrency();
  }
  if (take(/\s*%$/) !== undefined) isPercent = true;
  if (/^[+-]/.test(rest) || /-$/.test(rest)) {
    if (isNegative) return undefined;
    isNegative = /^-|-$/.test(rest);
    rest = rest.replace(/^[+-]\s*|\s*-$/g, '');
    takeCurrency();
  }
  const core = rest.replace(/['’](?=\d{3}(?!\d))/g, ' ').replace(/\s+/g, ' ');
  return /^(?:\d[\d., ]*|[.,]\d+)$/.test(core) && /\d$/.test(core)
    ? { core, isNegative, isPercent, currency }
    : undefined;
}

/** What the writing of one amount says about the decimal mark. `open`: 1,234 and 1.234 may be either. */
function evidenceOf(core: string): { mark: DecimalMark } | { open: '.' | ',' } | undefined {
  const marks = [...core].filter((character) => character === '.' || character === ',') as DecimalMark[];
  const last = marks.at(-1);
  if (last === undefined) return undefined;
  const other = last === '.' ? ',' : '.';
  const count = marks.filter((mark) => mark === last).length;
  if (count < marks.length) return { mark: count === 1 ? last : other };
  if (count > 1) return { mark: other };
  const [before = '', after = ''] = core.split(last);
  if (after.length !== 3 || before.length > 3 || before === '' || before === '0' || before.includes(' '))
    return { mark: last };
  return { open: last };
}

/** Groups of three digits, and those of India. */
const byCommas = /^\d{1,3}(?:(?:,|\s)\d{3})*$/;
const byPoints = /^\d{1,3}(?:(?:\.|\s)\d{3})*$/;
const byLakhs = /^\d{1,2}(?:,\d{2})*,\d{3}$/;

/** @returns undefined when the amount does not fit the mark */
export function toAmount({ core, isNegative, isPercent, currency }: Written, mark: DecimalMark): Amount | undefined {
  const [whole = '', fraction = '', ...more] = core.split(mark);
  const isGrouped = (mark === '.' ? byCommas : byPoints).test(whole) || byLakhs.test(whole);
  if (more.length > 0 || !/^\d*$/.test(fraction) || !(isGrouped || /^\d*$/.test(whole))) return undefined;
  const digits = whole.replace(/\D/g, '') || '0';
  if (digits.length > 18) return undefined;
  const number = new Decimal(`${digits}${fraction === '' ? '' : `.${fraction}`}`);
  const signed = isNegative ? number.negated() : number;
  return { value: isPercent ? signed.div(100) : signed, isPercent, currency };
}

/** `note`: for people, how amounts that may be read in two ways were read. */
export type NumberStyle = { mark: DecimalMark; note?: string };

type Sample = { core: string; where: string };

/**
 * Finds the decimal mark of a table from all of its amounts. It is never guessed: one amount must decide it, or all
 * amounts from a thousand on must have groups of three digits.
 *
 * @throws AlfredError `invalid_request` when amounts contradict each other or none decides
 */
export function findNumberStyle(table: string, samples: Iterable<Sample>): NumberStyle {
  const sure = new Map<DecimalMark, Sample>();
  const open: Sample[] = [];
  let ungrouped = false;
  for (const sample of samples) {
    const evidence = evidenceOf(sample.core);
    if (!evidence) ungrouped ||= /^\d{4,}$/.test(sample.core);
    else if ('mark' in evidence) sure.set(evidence.mark, sure.get(evidence.mark) ?? sample);
    else if (open.length < maxOpen) open.push(sample);
  }
  const [point, comma, [first, second]] = [sure.get('.'), sure.get(','), open];
  if (point && comma)
    throw new AlfredError(
      'invalid_request',
      `${table} has amounts of two kinds: ${point.core} (${point.where}) and ${comma.core} (${comma.where}). Write all of them in one way.`,
    );
  if (point || comma) return { mark: point ? '.' : ',' };
  if (!first) return { mark: '.' };
  const separator = first.core.includes('.') ? '.' : ',';
  const isOneKind = open.every(({ core }) => core.includes(separator));
  if (second && isOneKind && !ungrouped)
    return {
      mark: separator === '.' ? ',' : '.',
      note: `${table}: amounts like ${first.core} are read as thousands, because every amount from a thousand on has groups of three digits.`,
    };
  throw new AlfredError(
    'invalid_request',
    `${table} does not show whether ${first.core} (${first.where}) has thousands or decimals. Say it with decimalMark: "." or ",".`,
  );
}

const maxOpen = 1_000;
