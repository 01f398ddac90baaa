import { characterBoundary } from './character-boundary.ts';

/** The beginning of a text on one line, at most `length` UTF-16 code units long. */
export function firstWords(text: string, length: number): string {
  // Enough of a long text for its beginning, with any spaces in it.
  const line = text
    .slice(0, 4 * length)
    .replace(/\s+/g, ' ')
    .trim();
  const isWhole = line.length <= length && text.trim().length <= 4 * length;
  return isWhole ? line : `${line.slice(0, characterBoundary(line, length - 1)).trimEnd()}…`;
}
