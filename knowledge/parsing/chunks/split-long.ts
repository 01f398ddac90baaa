/** A place in a text: UTF-16 code units, end not included. */
export type Range = { start: number; end: number };

const sentences = new Intl.Segmenter('en', { granularity: 'sentence' });
/** The segmenter is slow on very long strings, so it is fed windows; one sentence is rarely this long. */
const windowCharacters = 20_000;
/** A part may be this much longer than an even share, so that it ends with a sentence. */
const slack = 1.15;

/**
 * Cuts an oversized piece into parts of at most `maxCharacters` and of about the same length, for a short rest says little by
 * itself and is found for the wrong questions: between sentences; a longer sentence between words; a longer word anywhere
 * but inside a surrogate pair. White space between parts belongs to none.
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

/** The last good place to cut in (from, limit]. */
function cutBefore(text: string, from: number, limit: number): number {
  const window = text.slice(from, Math.min(from + windowCharacters, limit + 1));
  let cut = 0;
  for (const { index, segment } of sentences.segment(window))
    if (index + segment.trimEnd().length < limit - from) cut = index + segment.length;
  // What the window's end cut off is no sentence.
  if (cut >= window.length) cut = 0;
  if (cut > 0) return Math.min(from + cut, limit);
  const space = text.slice(from, limit + 1).search(/\s\S*$/);
  if (space > 0) return from + space;
  const high = text.charCodeAt(limit - 1);
  return high >= 0xd800 && high < 0xdc00 ? limit - 1 : limit;
}

const isSpace = (text: string, at: number) => /\s/.test(text.charAt(at));
/** The first place from `from` on, before `end`, where something stands. */
export function skipSpace(text: string, from: number, end: number): number {
  while (from < end && isSpace(text, from)) from++;
  return from;
}
function dropSpace(text: string, start: number, to: number): number {
  while (to > start && isSpace(text, to - 1)) to--;
  return to;
}
