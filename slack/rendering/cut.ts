const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' });
/** UTF-16 code units on each side of a place that decide whether a character is cut apart there. */
const windowSize = 48;

/** Whether both sides of the place are whole characters as people see them: no surrogate, mark or joiner is cut off. */
export function isCharacterBoundary(text: string, at: number): boolean {
  if (at <= 0 || at >= text.length) return true;
  const start = Math.max(0, at - windowSize);
  return segmenter.segment(text.slice(start, at + windowSize)).containing(at - start)?.index === at - start;
}

/**
 * Where the longest piece of whole characters ends that starts at `start` and has at most `max` code units.
 *
 * @returns `start` when not even one character fits
 */
export function characterEnd(text: string, start: number, max: number): number {
  const most = start + max;
  if (most >= text.length) return text.length;
  for (let end = most; end > start && end > most - windowSize; end--) if (isCharacterBoundary(text, end)) return end;
  if (max < windowSize) return start;
  // One base with a very long row of marks: a surrogate pair stays whole all the same.
  return /[\udc00-\udfff]/.test(text[most]!) && /[\ud800-\udbff]/.test(text[most - 1]!) ? most - 1 : most;
}

const breaks = [/\n/g, /[.!?:;。！？]\s/g, /[ \t]/g];

/** Like `characterEnd`, but at the end of a line, a sentence or a word where the second half has one. */
export function proseEnd(text: string, start: number, max: number): number {
  const most = characterEnd(text, start, max);
  if (most === text.length) return most;
  const from = start + Math.floor((most - start) / 2);
  const half = text.slice(from, most);
  for (const pattern of breaks) {
    const ends = [...half.matchAll(pattern)].map(({ index, 0: found }) => from + index + found.length);
    const end = ends.findLast((place) => isCharacterBoundary(text, place));
    if (end !== undefined) return end;
  }
  return most;
}

/** The text, or its beginning and `…`, in at most `max` code units. */
export const shorten = (text: string, max: number): string =>
  text.length <= max ? text : `${text.slice(0, characterEnd(text, 0, max - 1)).trimEnd()}…`;

/** The text on one line, shortened. */
export const oneLine = (text: string, max: number): string => shorten(text.replace(/\s+/g, ' ').trim(), max);

/**
 * The text in pieces.
 *
 * @param endOf where the piece ends that starts there; one character at least is taken
 */
export function piecesOf(text: string, endOf: (start: number) => number): string[] {
  const pieces: string[] = [];
  for (let start = 0; start < text.length;) {
    const end = Math.max(endOf(start), start + 1);
    pieces.push(text.slice(start, end));
    start = end;
  }
  return pieces;
}
