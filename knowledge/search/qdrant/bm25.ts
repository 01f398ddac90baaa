import type { Schemas } from '@qdrant/js-client-rest';
import type { IndexedPassage } from '../passage-index.ts';
import type { Language } from '../../../contract/rules/stems.ts';
import { passageTerms } from '../../../contract/rules/terms.ts';
import { murmurHash3 } from './murmur-hash3.ts';

/**
 * BM25 parameters, as in Robertson and Zaragoza 2009. `k1`: how soon repeated words stop adding to the score; `b`: how
 * much long passages are penalised.
 */
const k1 = 1.2;
const b = 0.75;

/**
 * How often a word counts that stands in the title, the headings or the body. The embedded index has the same weights.
 */
const weights = { title: 2, headings: 2, body: 1 };

/** The words of a passage, each repeated by its weight. */
export function weightedTerms(
  { title, headings, body }: Pick<IndexedPassage, 'title' | 'headings' | 'body'>,
  language: Language,
): string[] {
  const repeatedTerms = (text: string, times: number) => {
    const terms = passageTerms(text, language);
    return Array.from({ length: times }, () => terms).flat();
  };
  return [
    ...repeatedTerms(title, weights.title),
    ...repeatedTerms(headings, weights.headings),
    ...repeatedTerms(body, weights.body),
  ];
}

/**
 * Turns words into a BM25 vector, on the server or here. Both make the same vector of the same words, so a collection
 * may contain points from either. Words are always split and stemmed by Alfred; the server must leave them as they are.
 */
export type Encoder = {
  passage(terms: string[], averageLength: number): Schemas['SparseVector'] | Schemas['Document'];
  query(terms: string[]): Schemas['SparseVector'] | Schemas['Document'];
};

const serverEncoder = (noStemming: Schemas['Bm25Config']): Encoder => {
  const documentOf = (terms: string[], averageLength: number): Schemas['Document'] => {
    const options: Schemas['Bm25Config'] = { k: k1, b, avg_len: averageLength, ...noProcessing, ...noStemming };
    return { text: terms.join(' '), model: 'qdrant/bm25', options };
  };
  return { passage: documentOf, query: (terms) => documentOf(terms, 1) };
};

const noProcessing = { tokenizer: 'whitespace', lowercase: false, stopwords: { languages: [], custom: [] } } as const;

/** For servers with `qdrant/bm25`. Servers before 1.19 have another option to turn stemming off. */
export const serverEncoders: Encoder[] = [
  serverEncoder({ stemmer: { type: 'none' } }),
  serverEncoder({ language: 'none' }),
];

/** For servers without `qdrant/bm25`. */
export const localEncoder: Encoder = {
  passage(terms, averageLength) {
    const counts = new Map<number, number>();
    for (const id of terms.map(idOf)) counts.set(id, (counts.get(id) ?? 0) + 1);
    const length = k1 * (1 - b + (b * terms.length) / averageLength);
    return sparseVector([...counts].map(([id, count]) => [id, (count * (k1 + 1)) / (count + length)]));
  },
  query: (terms) => sparseVector([...new Set(terms.map(idOf))].map((id) => [id, 1])),
};

function sparseVector(entries: [number, number][]): Schemas['SparseVector'] {
  const sorted = entries.sort(([a], [c]) => a - c);
  return { indices: sorted.map(([id]) => id), values: sorted.map(([, value]) => value) };
}

/** The number of a word in a vector, the same as Qdrant's BM25 gives it: MurmurHash3 without its sign. */
const idOf = (term: string) => Math.abs(murmurHash3(term));
