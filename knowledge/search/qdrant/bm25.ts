import type { Schemas } from '@qdrant/js-client-rest';
import type { IndexedPassage } from '../passage-index.ts';
import { passageTerms } from '../../../contract/rules/terms.ts';

/** Robertson and Zaragoza 2009: how soon repetition counts no more, and how much long passages are held back. */
const k1 = 1.2;
const b = 0.75;

/** Times that a word in title, headings and body counts; the weights of the embedded index. */
const weights = { title: 2, headings: 2, body: 1 };

export function weightedTerms(passage: Pick<IndexedPassage, 'title' | 'headings' | 'body'>): string[] {
  const terms = ({ text, times }: { text: string; times: number }) => {
    const found = passageTerms(text);
    return Array.from({ length: times }, () => found).flat();
  };
  return [
    ...terms({ text: passage.title, times: weights.title }),
    ...terms({ text: passage.headings, times: weights.headings }),
    ...terms({ text: passage.body, times: weights.body }),
  ];
}

/**
 * Who turns words into numbers. Both make the same vector of the same words, so that it does not matter which one made a
 * point: the words are cut and stemmed by us, and a server is left what it has to be told nothing for.
 */
export type Encoder = {
  passage(terms: string[], averageLength: number): Schemas['SparseVector'] | Schemas['Document'];
  query(terms: string[]): Schemas['SparseVector'] | Schemas['Document'];
};

const onServer = (untouched: Schemas['Bm25Config']): Encoder => {
  const documentOf = (terms: string[], averageLength: number): Schemas['Document'] => {
    const options: Schemas['Bm25Config'] = { k: k1, b, avg_len: averageLength, ...untouched };
    return { text: terms.join(' '), model: 'qdrant/bm25', options };
  };
  return { passage: documentOf, query: (terms) => documentOf(terms, 1) };
};

const asTheyAre = { tokenizer: 'whitespace', lowercase: false, stopwords: { languages: [], custom: [] } } as const;

/** For servers that have `qdrant/bm25`: how those from 1.19 on are told to leave words as they are, and those before. */
export const serverEncoders: Encoder[] = [
  onServer({ ...asTheyAre, stemmer: { type: 'none' } }),
  onServer({ ...asTheyAre, language: 'none' }),
];

/** For a server without: the same computation here. */
export const localEncoder: Encoder = {
  passage(terms, averageLength) {
    const counts = new Map<number, number>();
    for (const id of terms.map(idOf)) counts.set(id, (counts.get(id) ?? 0) + 1);
    const length = k1 * (1 - b + (b * terms.length) / averageLength);
    return sparse([...counts].map(([id, count]) => [id, (count * (k1 + 1)) / (count + length)]));
  },
  query: (terms) => sparse([...new Set(terms.map(idOf))].map((id) => [id, 1])),
};

function sparse(entries: [number, number][]): Schemas['SparseVector'] {
  const sorted = entries.sort(([a], [c]) => a - c);
  return { indices: sorted.map(([id]) => id), values: sorted.map(([, value]) => value) };
}

/** The number of a word, as Qdrant's BM25 numbers it: MurmurHash3 (Appleby, x86, 32 bit, seed 0) without its sign. */
function idOf(term: string): number {
  const bytes = Buffer.from(term);
  const whole = bytes.length & ~3;
  let hash = 0;
  for (let at = 0; at < whole; at += 4) hash = (rotated(hash ^ mixed(bytes.readInt32LE(at)), 13) * 5 + 0xe6546b64) | 0;
  let rest = 0;
  for (let at = bytes.length - 1; at >= whole; at--) rest = (rest << 8) | (bytes[at] ?? 0);
  hash ^= mixed(rest) ^ bytes.length;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return Math.abs(hash ^ (hash >>> 16));
}

const mixed = (word: number) => Math.imul(rotated(Math.imul(word, 0xcc9e2d51), 15), 0x1b873593);
const rotated = (word: number, by: number) => (word << by) | (word >>> (32 - by));
