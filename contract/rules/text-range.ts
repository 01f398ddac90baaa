import { maxTextRange } from '../documents.ts';

/** The part of a text to show. */
export type TextRange = { start: number; end: number };

/**
 * Decides which part of a text to show. A border inside a character of two code units moves behind that character, so
 * parts that follow each other make the whole text.
 *
 * @param range offsets in UTF-16 code units; without `end`, up to the end of the text
 * @returns a sentence when there is no such part, or it is too long for one answer
 */
export function textRangeOf(
  text: string,
  { start, end = text.length }: { start: number; end?: number | undefined },
): TextRange | { path: 'start' | 'end'; message: string } {
  if (start > text.length) return { path: 'start', message: `the text has ${text.length} characters` };
  if (end < start) return { path: 'end', message: `must not be before start, which is ${start}` };
  const range = { start: behindCharacter(text, start), end: behindCharacter(text, Math.min(end, text.length)) };
  if (range.end - range.start <= maxTextRange + 1) return range;
  return {
    path: 'end',
    message: `at most ${maxTextRange} characters come at once, and the text has ${text.length}: ask for start=${start}&end=${start + maxTextRange} first`,
  };
}

function behindCharacter(text: string, offset: number): number {
  const isInside = /^[\ud800-\udbff][\udc00-\udfff]$/.test(text.slice(Math.max(0, offset - 1), offset + 1));
  return isInside ? offset + 1 : offset;
}
