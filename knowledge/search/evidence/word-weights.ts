import { passageTerms, queryTerms } from '../../../contract/rules/terms.ts';
import type { CorpusCounts } from '../passage-index.ts';

/** What each word of a query weighs, by the word's stem. */
export type WordWeights = Map<string, number>;

/**
 * Weighs a query's words: the fewer of the tenant's passages hold a word, the more it weighs. A word that none of them
 * holds weighs most. Measured by words alone on test/evaluation/tuning.json: when such words weigh little, a passage
 * about something else is covered as well as one with the answer. All words weigh the same when the index cannot count
 * them.
 */
export function weighWords(query: string, { passages, holders }: CorpusCounts): WordWeights {
  const terms = queryTerms(query);
  if (!holders) return new Map(terms.map((term) => [term, 1]));
  const counts = new Map(holders);
  return new Map(
    terms.map((term) => {
      const count = Math.min(counts.get(term) ?? 0, passages);
      return [term, Math.log(1 + (passages - count + 0.5) / (count + 0.5))];
    }),
  );
}

/** The part of the query's words that a text holds, from 0 to 1, by their weights. */
export function coverageOf(weights: WordWeights, text: string): number {
  const terms = new Set(passageTerms(text));
  let [covered, total] = [0, 0];
  for (const [term, weight] of weights) {
    total += weight;
    if (terms.has(term)) covered += weight;
  }
  return total > 0 ? covered / total : 0;
}
