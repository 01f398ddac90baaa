import { stemOf, wordsOf, type LegalText, type Unit } from './legal-text.ts';

/**
 * A signal says which words a sentence has when it speaks of something, as data: terms that are separated by ` + ` and
 * must all be there, each with alternatives separated by `|`.
 *
 * - `retain|keep + <period>`: words in any form, or a period of time. `=controller`: the word in this form only.
 * - `authenticat*`: words that begin so.
 * - `data protection officer`: words in this order.
 * - `!not`: a term that must not be there.
 * - `$them > may > terminate`: in this order, close to each other, with the other party's name not between them.
 * - `$us`, `$them`: names of the parties.
 */
export type Signal = string;

/** The names of both parties, as the document writes them. */
export type PartyNames = { us: readonly string[]; them: readonly string[] };

const numberWords =
  'one|two|three|four|five|six|seven|eight|nine|ten|twelve|fourteen|fifteen|twenty|twenty-one|twenty-four|thirty|thirty-six|forty-five|forty-eight|sixty|seventy-two|ninety|hundred';

/** Terms that stand for a kind of words. */
const kinds = new Map<string, RegExp>(
  Object.entries({
    '<period>': new RegExp(
      `\\b(?:\\d{1,9}|${numberWords})(?:\\s{0,20}\\(\\d{1,9}\\))?[\\s-]{1,20}(?:business |calendar |working )?(?:hour|day|week|month|year)s?\\b`,
      'i',
    ),
    '<number>': /\d/,
    '<percent>': /\d\s{0,20}(?:%|per\s?cent)|percent/i,
    '<email>': /(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}\.\w/,
    '<address>':
      /\b\d{1,5}[,\s]{1,10}\p{Lu}\p{L}|(?<!\p{L})\p{Lu}\p{L}{1,40}(?:straße|strasse|street|road|lane|avenue|way|gasse|allee)\b|\b(?:Street|Road|Avenue|Lane|Straße|Blvd|Boulevard|Suite|P\.?O\.? Box)\b/u,
    '<url>': /https?:\/\/|www\./i,
  }),
);

/** Most words between two terms of a chain. */
const maxGap = 8;
/** Most words between the terms of a signal: in a long sentence, terms that are far apart belong to other things. */
const maxSpan = 30;

export type Finder = {
  /** The sentences that have a signal. `inHeadings`: a part of it may stand in the heading above. */
  find: (signal: Signal, options?: { inHeadings?: boolean; within?: number }) => Unit[];
};

/** Finds sentences by signals. A word is looked for once, in all sentences. */
export function createFinder(document: LegalText, parties: PartyNames = { us: [], them: [] }): Finder {
  const { units } = document;
  const placesOf = createPlaces(document);
  const inSentence = (term: Term, id: number) => term.alternatives.some((phrase) => placesOf(phrase).has(id));
  const whereIs = (term: Term, id: number, unit: Unit): Where => {
    if (inSentence(term, id)) return 'sentence';
    const title = document.sections[unit.section]?.stems ?? [];
    return term.alternatives.some((phrase) => indexOfWords(title, phraseStems(phrase), 0) !== -1) ? 'heading' : null;
  };
  /** Whether the terms of a chain follow each other, from a word on. */
  const follows = (chain: Term[], id: number, from: number): boolean => {
    const [term, ...rest] = chain;
    if (!term) return true;
    const words = units[id]?.words ?? [];
    return term.alternatives.some((phrase) => {
      const places = placesOf(phrase).get(id) ?? [];
      for (let i = from === 0 ? 0 : firstFrom(places, from); i < places.length; i++) {
        const place = places[i];
        if (!place || (from > 0 && place.at - from > maxGap)) return false;
        const isFree = from === 0 || !hasParty(words.slice(from, place.at), parties);
        if (isFree && follows(rest, id, Math.max(place.at + place.words, 1))) return true;
      }
      return false;
    });
  };
  /** Whether every term that stands in a sentence does so within some words of an occurrence of the first one. */
  const areNear = (id: number, groups: Group[], within: number): boolean => {
    const [first = [], ...others] = groups
      .map(({ chain: [term] }) => (term?.alternatives ?? []).filter((phrase) => !kinds.has(phrase)))
      .map((phrases) => phrases.flatMap((phrase) => placesOf(phrase).get(id) ?? []).sort((a, b) => a.at - b.at))
      .filter((places) => places.length > 0);
    return (
      first.length === 0 ||
      first.some(({ at }) =>
        others.every((places) => (places[firstFrom(places, at - within)]?.at ?? Infinity) <= at + within),
      )
    );
  };
  return {
    find(signal, { inHeadings = false, within = maxSpan } = {}) {
      const groups = parseSignal(signal, parties);
      const wanted = groups.filter(({ isRefused }) => !isRefused);
      const candidates = new Set(
        wanted.flatMap(({ chain }) =>
          chain.flatMap(({ alternatives }) => alternatives.flatMap((phrase) => [...placesOf(phrase).keys()])),
        ),
      );
      return [...candidates]
        .sort((a, b) => a - b)
        .flatMap((id) => {
          const unit = units[id];
          if (!unit || unit.isHeading) return [];
          const where = wanted.map(({ chain: [first, ...rest] }): Where => {
            if (!first) return null;
            if (rest.length > 0) return follows([first, ...rest], id, 0) ? 'sentence' : null;
            return whereIs(first, id, unit);
          });
          if (!where.includes('sentence') || where.some((one) => one === null || (one === 'heading' && !inHeadings)))
            return [];
          if (unit.words.length > within && !areNear(id, wanted, within)) return [];
          const isRefused = groups.some((group) => group.isRefused && group.chain.some((term) => inSentence(term, id)));
          return isRefused ? [] : [unit];
        });
    },
  };
}

type Where = 'sentence' | 'heading' | null;
type Term = { alternatives: string[] };
/** Terms in an order, of which there is mostly one. */
type Group = { chain: Term[]; isRefused: boolean };
/** Where a phrase stands in a sentence: index of its first word, and how many words it has. */
type Place = { at: number; words: number };

/** Index of the first place at a word or behind it, by halving: `places` are in their order. */
function firstFrom(places: readonly Place[], at: number): number {
  let [low, high] = [0, places.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((places[middle]?.at ?? Infinity) < at) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Looks phrases up, once each. @returns for a phrase, its places by the sentence's index */
function createPlaces({ text, units }: LegalText): (phrase: string) => Map<number, Place[]> {
  const known = new Map<string, Map<number, Place[]>>();
  const byStem = new Map<string, Set<number>>();
  for (const [id, { stems }] of units.entries())
    for (const stem of stems) {
      const ids = byStem.get(stem);
      if (ids) ids.add(id);
      else byStem.set(stem, new Set([id]));
    }
  const search = (phrase: string): Map<number, Place[]> => {
    const kind = kinds.get(phrase);
    if (kind)
      return new Map(
        units.flatMap(({ start, end }, id) =>
          kind.test(text.slice(start, end)) ? [[id, [{ at: 0, words: 0 }]] as const] : [],
        ),
      );
    const isBeginning = phrase.endsWith('*');
    const isExact = phrase.startsWith('=') || isBeginning;
    const plain = wordsOf(phrase.replace(/^=|\*$/g, ''));
    if (plain.length === 0) return new Map();
    const wanted = isExact ? plain : plain.map(stemOf);
    const candidates = isBeginning ? units.keys() : (byStem.get(stemOf(plain[0] ?? '')) ?? []);
    const found = new Map<number, Place[]>();
    for (const id of candidates) {
      const unit = units[id];
      if (!unit) continue;
      const words = isExact ? unit.words : unit.stems;
      const places: Place[] = [];
      for (
        let at = indexOfWords(words, wanted, 0, isBeginning);
        at !== -1;
        at = indexOfWords(words, wanted, at + 1, isBeginning)
      )
        places.push({ at, words: wanted.length });
      if (places.length > 0) found.set(id, places);
    }
    return found;
  };
  return (phrase) => {
    const found = known.get(phrase) ?? search(phrase);
    known.set(phrase, found);
    return found;
  };
}

/** Where words stand in others. `isBeginning`: the last one may go on. */
function indexOfWords(words: readonly string[], wanted: readonly string[], from: number, isBeginning = false): number {
  for (let at = from; at + wanted.length <= words.length; at++) {
    const fits = wanted.every((one, i) => {
      const word = words[at + i];
      return word === one || (isBeginning && i === wanted.length - 1 && word?.startsWith(one) === true);
    });
    if (fits) return at;
  }
  return -1;
}

const hasParty = (words: readonly string[], { us, them }: PartyNames): boolean =>
  [...us, ...them].some((name) => indexOfWords(words, phraseWords(name), 0) !== -1);

/** Phrases are asked for again and again; most are of signals, which are few. */
function remembered(derive: (phrase: string) => string[]): (phrase: string) => string[] {
  const known = new Map<string, string[]>();
  return (phrase) => {
    const found = known.get(phrase) ?? derive(phrase);
    if (known.size >= maxPhrases) known.clear();
    known.set(phrase, found);
    return found;
  };
}
const maxPhrases = 20_000;
const phraseWords = remembered(wordsOf);
const phraseStems = remembered((phrase) => wordsOf(phrase).map(stemOf));

/** Signals are few, and the same for every document. */
const parsed = new Map<Signal, Group[]>();

function parseSignal(signal: Signal, parties: PartyNames): Group[] {
  const groups = parsed.get(signal) ?? signal.split(' + ').map(parseGroup);
  parsed.set(signal, groups);
  if (!signal.includes('$')) return groups;
  return groups.map(({ chain, isRefused }) => ({
    isRefused,
    chain: chain.map(({ alternatives }) => ({ alternatives: alternatives.flatMap((one) => withNames(one, parties)) })),
  }));
}

function parseGroup(part: string): Group {
  const chain = part.trim().replace(/^!/, '').split(' > ');
  return {
    isRefused: part.trim().startsWith('!'),
    chain: chain.map((term) => ({ alternatives: term.split('|').map((one) => one.trim().toLowerCase()) })),
  };
}

/** A phrase with the names of the parties, each in its own form: the verb "provide" is no "Provider". */
function withNames(phrase: string, { us, them }: PartyNames): string[] {
  if (!phrase.includes('$')) return [phrase];
  const place = phrase.includes('$us') ? '$us' : '$them';
  return (place === '$us' ? us : them).map((name) => `=${phrase.replace(place, name.toLowerCase())}`);
}
