import { sentencesOf } from '../../../contract/rules/quote.ts';
import type { Span } from '../../../contract/rules/sentences.ts';
import type { ReadPassage } from '../read-passages.ts';
import type { CandidateRating } from './rate-candidates.ts';
import { coverageOf, type WordWeights } from '../evidence/word-weights.ts';

/** Sentences that are highlighted in one passage. */
const maxHighlights = 6;

/** @property at its place in the passage's text; `words`: its text with the last heading above it */
export type PassageSentence = { at: Span; words: string };

type HighlightOptions = {
  words: WordWeights;
  rating: { parts: CandidateRating[]; coverageWeight: number } | undefined;
  gainAt?: (start: number) => number;
};

/** The sentences of a passage. */
export function passageSentences({
  text,
  headingPath,
  title,
}: Pick<ReadPassage, 'text' | 'headingPath' | 'title'>): PassageSentence[] {
  const heading = headingPath.at(-1) ?? title;
  return sentencesOf(text).map(({ start, end }) => ({
    at: { start, end },
    words: `${heading}\n${text.slice(start, end)}`,
  }));
}

/**
 * The sentences of a passage that come nearest to a query, best first, with their places in the document.
 *
 * @param rating undefined when the sentences are rated by words alone; `gainAt`: what a reranker adds to a sentence, by
 *   where it begins in the document
 */
export function highlightsOf(
  { start, language }: Pick<ReadPassage, 'start' | 'language'>,
  sentences: PassageSentence[],
  { words, rating, gainAt }: HighlightOptions,
): { start: number; end: number; score: number }[] {
  const rated = sentences.map(({ at, words: own }) => {
    const coverage = coverageOf(words, own, language);
    const from = start + at.start;
    const score = rating ? nearnessAt(rating.parts, from) + rating.coverageWeight * coverage : coverage;
    return { start: from, end: start + at.end, score: score + (gainAt?.(from) ?? 0) };
  });
  return rated.sort((a, b) => b.score - a.score).slice(0, maxHighlights);
}

/**
 * The nearness of the sentence that begins at a place, or of the one around it: where chunks were joined, a sentence
 * may begin in the middle of another. A sentence of a chunk that was not rated counts as an average one, so that its
 * words decide.
 */
function nearnessAt(parts: CandidateRating[], at: number): number {
  const part = parts.find(({ start, end }) => start <= at && at < end);
  const found = part && (part.sentences.findLast(({ start }) => start <= at) ?? part.sentences[0]);
  if (found) return found.nearness;
  const all = parts.flatMap(({ sentences }) => sentences);
  return all.reduce((sum, { nearness }) => sum + nearness, 0) / (all.length || 1);
}
