import { characterBoundary } from './character-boundary.ts';
import { splitSentences, trimSpan, type Sentence, type Span } from './sentences.ts';

const words = new Intl.Segmenter(undefined, { granularity: 'word' });

/** Longest quotation, in UTF-16 code units, unless the caller names another length. */
const maxQuote = 400;

/**
 * Selects the one or two neighbouring sentences of a passage that share the most words with a claim, or the row or list
 * item that does.
 *
 * @returns offsets into `passage`; the text between them is the quotation, at most `maxQuote` long
 */
export function selectQuote(passage: string, claim: string): Span {
  const wanted = wordsOf(claim);
  const sentences = sentencesOf(passage);
  const scores = sentences.map(({ start, end }) => countSharedWords(passage.slice(start, end), wanted));
  const scored = sentences.map((sentence, i) => {
    const { start, end } = sentence;
    const next = sentences[i + 1];
    const alone = { start, end, score: scores[i] ?? 0 };
    if (!next || sentence.kind !== 'prose' || next.kind !== 'prose' || next.end - start > maxQuote) return alone;
    const score = countSharedWords(passage.slice(start, next.end), wanted);
    // Two sentences are quoted when together they share at least two more words than either alone.
    return score >= Math.max(alone.score, scores[i + 1] ?? 0) + 2 ? { start, end: next.end, score } : alone;
  });
  const best = scored.reduce((a, b) => (b.score > a.score ? b : a), { start: 0, end: passage.length, score: -1 });
  return shortenSpan(passage, best);
}

/**
 * A sentence with those around it, as long as the quotation stays within its length: they often hold the answer where
 * the sentence only repeats the question. What follows comes first: a list stands behind what announces it.
 *
 * @param at offset of the sentence in `passage`
 * @returns offsets into `passage`
 */
export function quoteAround(passage: string, at: number, longest = maxQuote): Span {
  const sentences = quotableSentences(passage);
  const fits = (from: number, to: number) =>
    (sentences[to]?.end ?? Infinity) - (sentences[from]?.start ?? -Infinity) <= longest;
  let index = sentences.findIndex(({ end }) => at < end);
  // A heading without what it announces says nothing.
  if (isHeading(passage, sentences[index]) && sentences[index + 1] && !fits(index, index + 1)) index++;
  const found = sentences[index];
  if (!found) return shortenSpan(passage, { start: 0, end: passage.length }, longest);
  let [first, last] = [index, index];
  while (fits(first, last + 1)) last++;
  while (last > index && announces(passage, sentences[last])) last--;
  while (fits(first - 1, last)) first--;
  const { start } = sentences[first] ?? found;
  const { end } = sentences[last] ?? found;
  return shortenSpan(passage, { start: hasDotBefore(passage, start) ? start - 1 : start, end }, longest);
}

/** The sentence at an offset of a passage, as a quotation. */
export function sentenceAt(passage: string, at: number): Span {
  const found = quotableSentences(passage).find(({ end }) => at < end);
  return shortenSpan(passage, found ?? { start: 0, end: passage.length });
}

/**
 * A quotation with a sentence that stands right before or behind it.
 *
 * @param at offset of the sentence in `passage`
 * @returns undefined when the two are too long for one quotation
 */
export function widenQuote(passage: string, quote: Span, at: number, longest = maxQuote): Span | undefined {
  const sentence = sentenceAt(passage, at);
  const joined = { start: Math.min(quote.start, sentence.start), end: Math.max(quote.end, sentence.end) };
  return joined.end - joined.start <= longest ? joined : undefined;
}

/** The sentences of a passage, where one that ends inside a word (`…/search?q=1`) goes on. */
function quotableSentences(passage: string): Sentence[] {
  const quotable: Sentence[] = [];
  for (const sentence of sentencesOf(passage)) {
    const last = quotable.at(-1);
    if (last?.end === sentence.start && /[\x21-\x7e]$/.test(passage.slice(0, last.end))) last.end = sentence.end;
    else quotable.push({ ...sentence });
  }
  return quotable;
}

/** Whether a sentence only says what comes after it: a heading, or one that ends with a colon. */
const announces = (passage: string, sentence: Sentence | undefined): boolean =>
  isHeading(passage, sentence) || /[:：]$/.test(passage.slice(sentence?.start, sentence?.end));

/** Longest line that may be a heading, in characters. */
const longestHeading = 80;

/** Whether a sentence is a line without a full stop between blank lines: what a heading is in the text of a passage. */
function isHeading(passage: string, sentence: Sentence | undefined): boolean {
  if (sentence?.kind !== 'prose') return false;
  const { start, end } = sentence;
  const isAlone =
    /(^|\n[^\S\n]*\n)\s*$/.test(passage.slice(0, start)) && /^\s*($|\n[^\S\n]*\n)/.test(passage.slice(end));
  return (
    isAlone &&
    end - start <= longestHeading &&
    !/\n|[.!?:;,。！？：；、؟…]["'”’»」』)\]]*$/.test(passage.slice(start, end))
  );
}

/** Whether a name like `.NET` begins with the dot before `at`, where sentences are split. */
const hasDotBefore = (text: string, at: number) =>
  /(^|\s)\.$/.test(text.slice(Math.max(0, at - 2), at)) && /^\w/.test(text.slice(at));

/** The sentences of a passage without the white space around them. */
export const sentencesOf = (passage: string): Sentence[] =>
  splitSentences(passage)
    .map(({ kind, ...span }) => ({ ...trimSpan(passage, span), kind }))
    .filter(({ start, end }) => end > start);

/** Cuts a quotation that is too long between two words, or between two characters where there is no space. */
function shortenSpan(passage: string, { start, end }: Span, longest = maxQuote): Span {
  if (end - start <= longest) return { start, end };
  const space = passage.slice(start, start + longest + 1).search(/\s\S*$/);
  return { start, end: space > 0 ? start + space : characterBoundary(passage, start + longest) };
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
