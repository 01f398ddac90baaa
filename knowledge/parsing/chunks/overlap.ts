import { type Range, skipSpace } from './split-long.ts';

const sentences = new Intl.Segmenter('en', { granularity: 'sentence' });
const words = new Intl.Segmenter('en', { granularity: 'word' });

type Window = {
  /** The farthest place that a chunk may begin at. */
  from: number;
  /** It is where the chunk before begins with what it brings. */
  isWhole: boolean;
  /** Rows of a table and items of a list between there and the chunk, of which half would say something else. */
  rows: Range[];
};

/**
 * Where a chunk begins that repeats the end of the one before: with its first whole sentence or line that is near enough,
 * a row of a table or an item of a list whole or not at all. Only where the cut went through one piece, so that its halves
 * need each other, a part of a sentence will do.
 */
export function overlapStart(
  text: string,
  { from, isWhole, rows }: Window,
  next: { start: number; isTorn: boolean },
): number {
  if (isWhole) return from;
  const window = text.slice(from, next.start);
  for (const { index } of sentences.segment(window)) {
    const start = skipSpace(text, from + index, next.start);
    // What the window's start cut off is no sentence.
    if (index > 0 && start < next.start && !rows.some((row) => row.start < start && start < row.end)) return start;
  }
  if (!next.isTorn) return next.start;
  for (const { index, isWordLike } of words.segment(window)) if (index > 0 && isWordLike) return from + index;
  return next.start;
}
