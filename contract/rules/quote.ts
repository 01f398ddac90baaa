const sentences = new Intl.Segmenter(undefined, { granularity: 'sentence' });
const words = new Intl.Segmenter(undefined, { granularity: 'word' });

/** Part of a text, from an offset to another. */
export type Span = { start: number; end: number };

/** Longest quotation, in characters. */
const maxQuote = 400;

/**
 * The run of one or two sentences of a passage that shares most words with a claim.
 *
 * @returns offsets into `passage`; the slice between them is the quotation, word for word
 */
export function bestQuote(passage: string, claim: string): Span {
  const wanted = wordsOf(claim);
  const spans = sentencesOf(passage)
    .map((span) => trimmed(passage, span))
    .filter(({ start, end }) => end > start);
  const own = spans.map(({ start, end }) => overlap(passage.slice(start, end), wanted));
  const scored = spans.map((span, i) => {
    const next = spans[i + 1];
    const alone = { ...span, score: own[i] ?? 0 };
    if (!next || next.end - span.start > maxQuote) return alone;
    const score = overlap(passage.slice(span.start, next.end), wanted);
    // Two sentences are quoted when each brings at least two words that the other lacks.
    return score >= Math.max(alone.score, own[i + 1] ?? 0) + 2 ? { start: span.start, end: next.end, score } : alone;
  });
  const best = scored.reduce((a, b) => (b.score > a.score ? b : a), { start: 0, end: passage.length, score: -1 });
  const end = Math.min(best.end, best.start + maxQuote);
  // Never between the halves of a surrogate pair.
  return { start: best.start, end: end < best.end && /[\uD800-\uDBFF]/.test(passage[end - 1] ?? '') ? end - 1 : end };
}

/**
 * The sentences and lines of a text, one after the other and without a gap: white space belongs to the sentence before
 * it. None is blank, unless the whole text is.
 */
export function sentencesOf(text: string): Span[] {
  // A line that merely wraps does not end a sentence; the spaces keep every offset.
  const unwrapped = text.replace(/(?<=[^\n])\n(?=[^\n\s|*#-])/g, ' ');
  const spans: Span[] = [];
  for (const { index, segment } of sentences.segment(unwrapped)) {
    const last = spans.at(-1);
    const joins = last && (!segment.trim() || !text.slice(last.start, last.end).trim());
    if (joins) last.end = index + segment.length;
    else spans.push({ start: index, end: index + segment.length });
  }
  return spans;
}

/** A span without the white space around its words. */
export function trimmed(text: string, { start, end }: Span): Span {
  const segment = text.slice(start, end);
  const lead = segment.length - segment.trimStart().length;
  return { start: start + lead, end: start + Math.max(lead, segment.trimEnd().length) };
}

/** Words of a text, lower-cased, cut to five letters so that plural and past tense still meet. */
function wordsOf(text: string): Set<string> {
  const found = [...words.segment(text)].filter(({ isWordLike, segment }) => isWordLike && segment.length > 2);
  return new Set(found.map(({ segment }) => segment.toLowerCase().slice(0, 5)));
}

function overlap(text: string, wanted: Set<string>): number {
  let count = 0;
  for (const word of wordsOf(text)) if (wanted.has(word)) count++;
  return count;
}
