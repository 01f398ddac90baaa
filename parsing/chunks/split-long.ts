import { characterBoundary } from '../../contract/rules/character-boundary.ts';

/** A part of a text: [start, end) in UTF-16 code units. */
export type Range = { start: number; end: number };

const sentences = new Intl.Segmenter('en', { granularity: 'sentence' });
/** The segmenter is slow on very long strings, so it gets windows. A sentence is rarely this long. */
const windowCharacters = 20_000;
/** A part may be longer than an even share by this factor, so that it can end with a sentence. */
const slack = 1.15;

/**
 * Cuts a piece that is too long into parts of at most `maxCharacters`: between sentences, or else between
 * words, or else at any character. The parts have about the same length, because a short rest has little
 * meaning of its own and is found by the wrong queries. White space between parts belongs to none of them.
 */
export function splitLong(text: string, { start, end }: Range, maxCharacters: number): Range[] {
  const parts: Range[] = [];
  let from = skipSpace(text, start, end);
  while (from < end) {
    const even = Math.ceil((end - from) / Math.ceil((end - from) / maxCharacters));
    const limit = Math.min(maxCharacters, Math.ceil(even * slack));
    const to = end - from <= maxCharacters ? end : cutBefore(text, from, from + limit);
    parts.push({ start: from, end: dropSpace(text, from, to) });
    from = skipSpace(text, to, end);
  }
  return parts;
}

/** The last good offset for a cut in (from, limit]. */
function cutBefore(text: string, from: number, limit: number): number {
  const window = text.slice(from, Math.min(from + windowCharacters, limit + 1));
  let cut = 0;
  for (const { index, segment } of sentences.segment(window))
    if (index + segment.trimEnd().length < limit - from) cut = index + segment.length;
  // The last segment may be the beginning of a sentence that the window cut.
  if (cut >= window.length) cut = 0;
  if (cut > 0) return Math.min(from + cut, limit);
  const space = text.slice(from, limit + 1).search(/\s\S*$/);
  if (space > 0) return from + space;
  return characterBoundary(text, limit);
}

const isSpace = (text: string, at: number) => /\s/.test(text.charAt(at));
/** The offset of the first character in [from, end) that is not white space, else `end`. */
export function skipSpace(text: string, from: number, end: number): number {
  while (from < end && isSpace(text, from)) from++;
  return from;
}
function dropSpace(text: string, start: number, to: number): number {
  while (to > start && isSpace(text, to - 1)) to--;
  return to;
}
