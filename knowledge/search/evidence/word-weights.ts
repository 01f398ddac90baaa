import type { Correction } from '../../../contract/documents.ts';
import type { Language } from '../../../contract/rules/stems.ts';
import { queryWords, termSet, type QueryWord } from '../../../contract/rules/terms.ts';
import type { CorpusCounts } from '../passage-index.ts';

/** What each word of a query weighs. `terms`: what it is in the documents' languages. */
export type WordWeights = { terms: string[]; weight: number }[];

/**
 * Weighs a query's words, those that were searched: the fewer of the tenant's passages hold a word, the more it weighs.
 * A word that none of them holds weighs most. Measured by words alone on test/evaluation/tuning.json: when such words
 * weigh little, a passage about something else is covered as well as one with the answer. All words weigh the same when
 * the index cannot count them.
 */
export function weighWords(
  query: string,
  { passages, languages, holders }: CorpusCounts,
  corrections: Correction[] = [],
): WordWeights {
  const counts = holders && new Map(holders);
  return searchedWords(query, languages, corrections).flatMap(({ terms, hasParts }) => {
    const sum = terms.reduce((total, term) => total + (counts?.get(term) ?? 0), 0);
    if (hasParts && sum === 0) return [];
    if (!counts) return [{ terms, weight: 1 }];
    const count = Math.min(sum, passages);
    return [{ terms, weight: Math.log(1 + (passages - count + 0.5) / (count + 0.5)) }];
  });
}

/** The words of a query with the corrected ones in the place of the misspelt ones, each once. */
function searchedWords(query: string, languages: Language[], corrections: Correction[]): QueryWord[] {
  const corrected = new Map(corrections.map(({ from, to }) => [from, to]));
  const words = queryWords(query, languages).flatMap((word) => {
    const to = word.kind === 'word' ? corrected.get(word.text) : undefined;
    return to === undefined ? [word] : queryWords(to, languages);
  });
  return [...new Map(words.map((word) => [word.terms.join(' '), word])).values()];
}

/**
 * The part of the query's words that a text holds, from 0 to 1, by their weights.
 *
 * @param language of the text's document, in which the index has its words
 */
export function coverageOf(words: WordWeights, text: string, language: Language): number {
  const found = termSet(text, language);
  let [covered, total] = [0, 0];
  for (const { terms, weight } of words) {
    total += weight;
    if (terms.some((term) => found.has(term))) covered += weight;
  }
  return total > 0 ? covered / total : 0;
}
