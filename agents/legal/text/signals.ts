import { stemOf, wordsOf, type LegalText, type Unit } from './legal-text.ts';

/**
 * A signal says which words a sentence has when it speaks of something, as data: terms that are separated by ` + ` and
 * must all be there, each with alternatives separated by `|`.
 *
 * - `retain|keep + <period>`: words in any form, or a period of time. `=controller`: the word in this form only.
 * - `data protection officer`: words in this order.
 * - `!not`: a term that must not be there.
 * - `$us`, `$them`: names of the parties.
 */
export type Signal = string;

/** The names of both parties, as the document writes them. */
export type PartyNames = { us: readonly string[]; them: readonly string[] };

const numberWords =
  'one|two|three|four|five|six|seven|eight|nine|ten|twelve|fourteen|fifteen|twenty|twenty-one|twenty-four|thirty|thirty-six|forty-five|forty-eight|sixty|seventy-two|ninety|hundred';

/** Terms that stand for a kind of word. */
const kinds: Record<string, RegExp> = {
  '<period>': new RegExp(
    `\\b(?:\\d+|${numberWords})(?:\\s*\\(\\d+\\))?[\\s-]+(?:business |calendar |working )?(?:hour|day|week|month|year)s?\\b`,
    'i',
  ),
  '<number>': /\d/,
  '<percent>': /\d\s*(?:%|per\s?cent)|percent/i,
  '<email>': /[\w.+-]+@[\w-]+\.[\w.]+/,
  '<address>': /\b\d{1,5}[,\s]+\p{Lu}\p{L}+|\b\p{Lu}\p{L}+(?:straße|strasse|street|road|lane|avenue|way|gasse|allee)\b|\b(?:Street|Road|Avenue|Lane|Straße|Blvd|Boulevard|Suite|P\.?O\.? Box)\b/u,
  '<url>': /https?:\/\/|www\./i,
};

export type Finder = {
  /** The sentences that have a signal. `inHeadings`: a part of it may stand in the heading above. */
  find(signal: Signal, options?: { inHeadings?: boolean }): Unit[];
  /** Whether one sentence has it. */
  matches(unit: Unit, signal: Signal, options?: { inHeadings?: boolean }): boolean;
};

/** Finds sentences by signals. A word is looked for once, in all sentences. */
export function createFinder({ text, units, sections }: LegalText, parties: PartyNames = { us: [], them: [] }): Finder {
  const cache = new Map<string, Set<number>>();
  const headingCache = new Map<string, Set<number>>();
  const ids = new Map(units.map((unit, id) => [unit, id]));
  const byStem = new Map<string, number[]>();
  for (const [id, { stems }] of units.entries())
    for (const stem of new Set(stems.trim().split(' '))) byStem.set(stem, [...(byStem.get(stem) ?? []), id]);

  const search = (phrase: string): number[] => {
    const kind = kinds[phrase];
    if (kind) return units.flatMap(({ start, end }, id) => (kind.test(text.slice(start, end)) ? [id] : []));
    const isExact = phrase.startsWith('=');
    const words = wordsOf(isExact ? phrase.slice(1) : phrase);
    const stems = words.map(stemOf);
    const wanted = ` ${(isExact ? words : stems).join(' ')} `;
    return (byStem.get(stems[0] ?? '') ?? []).filter((id) => {
      const unit = units[id];
      return unit !== undefined && (isExact ? unit.words : unit.stems).includes(wanted);
    });
  };
  const find = (phrase: string): Set<number> => {
    const found = cache.get(phrase) ?? new Set(search(phrase));
    cache.set(phrase, found);
    return found;
  };
  const findHeadings = (phrase: string): Set<number> => {
    const wanted = ` ${wordsOf(phrase).map(stemOf).join(' ')} `;
    const found =
      headingCache.get(phrase) ?? new Set(sections.flatMap(({ stems }, i) => (stems.includes(wanted) ? [i] : [])));
    headingCache.set(phrase, found);
    return found;
  };
  const matchesTerm = (term: Term, id: number, unit: Unit): Where => {
    if (term.alternatives.some((phrase) => find(phrase).has(id))) return 'sentence';
    return term.alternatives.some((phrase) => !kinds[phrase] && findHeadings(phrase).has(unit.section)) ? 'heading' : null;
  };
  const matches: Finder['matches'] = (unit, signal, { inHeadings = false } = {}) => {
    const id = ids.get(unit);
    if (id === undefined || unit.isHeading) return false;
    const terms = parseSignal(signal, parties);
    const where = terms.filter(({ isRefused }) => !isRefused).map((term) => matchesTerm(term, id, unit));
    if (!where.includes('sentence') || where.some((one) => one === null || (one === 'heading' && !inHeadings))) return false;
    return !terms.some((term) => term.isRefused && matchesTerm(term, id, unit) === 'sentence');
  };
  return {
    matches,
    find(signal, options) {
      const terms = parseSignal(signal, parties).filter(({ isRefused }) => !isRefused);
      const candidates = new Set(terms.flatMap(({ alternatives }) => alternatives.flatMap((phrase) => [...find(phrase)])));
      return [...candidates]
        .sort((a, b) => a - b)
        .flatMap((id) => {
          const unit = units[id];
          return unit && matches(unit, signal, options) ? [unit] : [];
        });
    },
  };
}

type Where = 'sentence' | 'heading' | null;
type Term = { alternatives: string[]; isRefused: boolean };

/** Signals are few, and the same for every document. */
const parsed = new Map<Signal, Term[]>();

function parseSignal(signal: Signal, { us, them }: PartyNames): Term[] {
  const terms =
    parsed.get(signal) ??
    signal.split(' + ').map((part) => {
      const isRefused = part.trim().startsWith('!');
      const alternatives = part.trim().replace(/^!/, '').split('|');
      return { alternatives: alternatives.map((one) => one.trim().toLowerCase()), isRefused };
    });
  parsed.set(signal, terms);
  const named = (one: string) => (one === '$us' ? us : one === '$them' ? them : [one]);
  return terms.map(({ alternatives, isRefused }) => ({
    alternatives: alternatives.flatMap(named).map((one) => one.toLowerCase()),
    isRefused,
  }));
}
