import type { PassageText } from '../../../contract/ports/index.ts';
import { sentencesOf } from '../../../contract/rules/quote.ts';
import type { Span } from '../../../contract/rules/sentences.ts';
import type { ScoredPassage } from '../best-passages.ts';
import { coverageOf, type WordWeights } from './word-weights.ts';

/** Weights of a sentence's coverage and of its passage's cosine, beside the sentence's own cosine. Tuned. */
const weights = { coverage: 0.3, passage: 0.5 };

/** Sentences that are highlighted in one passage. */
const maxHighlights = 3;

/** @property at its place in the passage's text; `embedded`: what is embedded of it */
export type PassageSentence = { at: Span; embedded: PassageText };

/** The sentences of a passage, each with the last heading above it. */
export function passageSentences({ text, headingPath, title }: ScoredPassage): PassageSentence[] {
  const headings = headingPath.at(-1) ?? title;
  return sentencesOf(text).map(({ start, end }) => ({
    at: { start, end },
    embedded: { headings, text: text.slice(start, end) },
  }));
}

/**
 * The sentences of a passage that come nearest to a query, best first, with their places in the document.
 *
 * @param cosines of the sentences with the query; undefined when they are rated by words alone
 */
export function highlightsOf(
  { start, scores }: ScoredPassage,
  sentences: PassageSentence[],
  { words, cosines }: { words: WordWeights; cosines: number[] | undefined },
): { start: number; end: number; score: number }[] {
  const passageCosine = cosines ? (scores.dense?.score ?? 0) : 0;
  const rated = sentences.map(({ at, embedded }, i) => {
    const coverage = coverageOf(words, `${embedded.headings}\n${embedded.text}`);
    const score = (cosines?.[i] ?? 0) + weights.coverage * coverage + weights.passage * passageCosine;
    return { start: start + at.start, end: start + at.end, score };
  });
  return rated.sort((a, b) => b.score - a.score).slice(0, maxHighlights);
}

/** The cosine of two vectors of length 1. */
export const cosineOf = (a: Float32Array, b: Float32Array): number => a.reduce((sum, x, i) => sum + x * (b[i] ?? 0), 0);
