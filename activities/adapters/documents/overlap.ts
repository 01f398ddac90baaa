import { type Range, skipSpace } from './split-long.ts';

const sentences = new Intl.Segmenter('en', { granularity: 'sentence' });
const words = new Intl.Segmenter('en', { granularity: 'word' });

/**
 * Where a chunk begins that repeats the end of the one before: with its first whole sentence or line that is near enough.
 * A row of a table or an item of a list is repeated whole or not at all, for half of one says something else. Only where the
 * cut went through one piece, so that its halves need each other, a part of a sentence will do.
 *
 * @param before what the chunk before brings, without what that repeats itself
 * @param maxCharacters from the start to `next`
 */
export function overlapStart(
  text: string,
  before: Range,
  next: { start: number; isTorn: boolean },
  maxCharacters: number,
): number {
  const from = Math.max(before.start, next.start - maxCharacters);
  if (from === before.start) return from;
  const window = text.slice(from, next.start);
  for (const { index } of sentences.segment(window)) {
    const start = skipSpace(text, from + index, next.start);
    // What the window's start cut off is no sentence.
    if (index > 0 && start < next.start) return start;
  }
  if (!next.isTorn) return next.start;
  for (const { index, isWordLike } of words.segment(window)) if (index > 0 && isWordLike) return from + index;
  return next.start;
}
