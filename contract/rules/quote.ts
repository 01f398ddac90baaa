import { characterBoundary } from './character-boundary.ts';

const sentences = new Intl.Segmenter(undefined, { granularity: 'sentence' });
const words = new Intl.Segmenter(undefined, { granularity: 'word' });

/** Part of a text, [start, end), in UTF-16 code units. */
export type Span = { start: number; end: number };

/** Longest quotation, in UTF-16 code units. */
const maxQuote = 400;

/**
 * Selects the one or two neighbouring sentences of a passage that share the most words with a claim.
 *
 * @returns offsets into `passage`; the text between them is the quotation, at most `maxQuote` long
 */
export function selectQuote(passage: string, claim: string): Span {
  const wanted = wordsOf(claim);
  const spans = splitSentences(passage)
    .map((span) => trimSpan(passage, span))
    .filter(({ start, end }) => end > start);
  const scores = spans.map(({ start, end }) => countSharedWords(passage.slice(start, end), wanted));
  const scored = spans.map((span, i) => {
    const next = spans[i + 1];
    const alone = { ...span, score: scores[i] ?? 0 };
    if (!next || next.end - span.start > maxQuote) return alone;
    const score = countSharedWords(passage.slice(span.start, next.end), wanted);
    // Two sentences are quoted when together they share at least two more words than either alone.
    return score >= Math.max(alone.score, scores[i + 1] ?? 0) + 2 ? { start: span.start, end: next.end, score } : alone;
  });
  const best = scored.reduce((a, b) => (b.score > a.score ? b : a), { start: 0, end: passage.length, score: -1 });
  const end = Math.min(best.end, best.start + maxQuote);
  return { start: best.start, end: end < best.end ? characterBoundary(passage, end) : end };
}

/**
 * Splits a text into sentences and lines. The spans are adjacent and cover the whole text: white space belongs to the
 * sentence before it. No span is blank, unless the whole text is.
 */
export function splitSentences(text: string): Span[] {
  // A wrapped line does not end a sentence. Each line break becomes one space, so that offsets stay the same.
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

/** Shrinks a span by the white space at both of its ends. */
export function trimSpan(text: string, { start, end }: Span): Span {
  const segment = text.slice(start, end);
  const lead = segment.length - segment.trimStart().length;
  return { start: start + lead, end: start + Math.max(lead, segment.trimEnd().length) };
}

/** The words of a text in lower case. They are cut to five letters, so that plural and past tense match. */
function wordsOf(text: string): Set<string> {
  const segments = [...words.segment(text)].filter(({ isWordLike, segment }) => isWordLike && segment.length > 2);
  return new Set(segments.map(({ segment }) => segment.toLowerCase().slice(0, 5)));
}

function countSharedWords(text: string, wanted: Set<string>): number {
  let count = 0;
  for (const word of wordsOf(text)) if (wanted.has(word)) count++;
  return count;
}
