import { type Range, skipSpace } from './split-long.ts';

const sentences = new Intl.Segmenter('en', { granularity: 'sentence' });
const words = new Intl.Segmenter('en', { granularity: 'word' });

type Window = {
  /** The first offset at which the chunk may begin. */
  from: number;
  /** `from` is the start of the chunk before, without its own overlap. */
  isWhole: boolean;
  /** Table rows and list items between `from` and the chunk. A part of one could be misleading, so they stay whole. */
  rows: Range[];
};

/**
 * Finds where a chunk begins that repeats the end of the one before: at the first whole sentence,
 * line, table row or list item in the window. Without one, the overlap may begin at a word if the cut
 * went through a single piece, because its parts need each other; otherwise there is no overlap.
 *
 * @param next the chunk without its overlap
 */
export function overlapStart(
  text: string,
  { from, isWhole, rows }: Window,
  next: { start: number; startsInside: boolean },
): number {
  if (isWhole) return from;
  const window = text.slice(from, next.start);
  for (const { index } of sentences.segment(window)) {
    const start = skipSpace(text, from + index, next.start);
    // The first segment may be the rest of a sentence that the window cut.
    if (index > 0 && start < next.start && !rows.some((row) => row.start < start && start < row.end)) return start;
  }
  if (!next.startsInside) return next.start;
  for (const { index, isWordLike } of words.segment(window)) if (index > 0 && isWordLike) return from + index;
  return next.start;
}
