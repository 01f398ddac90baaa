import type { Language } from '../../../contract/rules/stems.ts';
import { queryWords, termsInAny } from '../../../contract/rules/terms.ts';
import type { CorpusCounts } from '../passage-index.ts';

/** What each word of a query weighs. `terms`: what it is in the documents' `languages`. */
export type WordWeights = { languages: Language[]; words: { terms: string[]; weight: number }[] };

/**
 * Weighs a query's words: the fewer of the tenant's passages hold a word, the more it weighs. A word that none of them
 * holds weighs most. Measured by words alone on test/evaluation/tuning.json: when such words weigh little, a passage
 * about something else is covered as well as one with the answer. All words weigh the same when the index cannot count
 * them.
 */
export function weighWords(query: string, { passages, languages, holders }: CorpusCounts): WordWeights {
  const counts = holders && new Map(holders);
  const words = queryWords(query, languages).map(({ terms }) => {
    if (!counts) return { terms, weight: 1 };
    const sum = terms.reduce((total, term) => total + (counts.get(term) ?? 0), 0);
    const count = Math.min(sum, passages);
    return { terms, weight: Math.log(1 + (passages - count + 0.5) / (count + 0.5)) };
  });
  return { languages, words };
}

/** The part of the query's words that a text holds, from 0 to 1, by their weights. */
export function coverageOf({ languages, words }: WordWeights, text: string): number {
  const found = termsInAny(text, languages);
  let [covered, total] = [0, 0];
  for (const { terms, weight } of words) {
    total += weight;
    if (terms.some((term) => found.has(term))) covered += weight;
  }
  return total > 0 ? covered / total : 0;
}
