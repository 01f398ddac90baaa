import type { Message } from '../../contract/ports/index.ts';
import { selectQuote } from '../../contract/rules/quote.ts';
import { splitSentences, trimSpan } from '../../contract/rules/sentences.ts';
import type { FoundPassage } from '../../contract/rules/tool-output.ts';
import { passagesByNumber } from './citations.ts';

const words = new Intl.Segmenter(undefined, { granularity: 'word' });

/**
 * Share of a sentence's words that the supporting quote must have: less when the sentence has numbers, because all of
 * them must be in the quote as well. A sentence of few words without a number supports nothing for certain.
 */
const requiredShare = { withNumbers: 0.5, withoutNumbers: 0.75 };
const minWords = 4;

/**
 * Adds the citations that an answer lacks: the number of a passage behind each sentence that the passage supports. Only
 * passages of the current turn count.
 *
 * @param text an answer without citations
 */
export function addMissingCitations(text: string, messages: Message[]): string {
  const turnStart = messages.findLastIndex((message) => message.role === 'user' && message.because === undefined);
  const passages = [...passagesByNumber(messages.slice(turnStart + 1))];
  if (passages.length === 0) return text;
  const pieces = splitSentences(text).map((span) => {
    const sentence = trimSpan(text, span);
    const n = supportOf(text.slice(sentence.start, sentence.end), passages);
    const whole = text.slice(span.start, span.end);
    if (n === undefined) return whole;
    const end = sentence.end - span.start;
    const punctuation = /[.!?…。！？]*$/.exec(whole.slice(0, end))?.[0] ?? '';
    const at = end - punctuation.length;
    return `${whole.slice(0, at)} [${n}]${whole.slice(at)}`;
  });
  return pieces.join('');
}

/** @returns the number of the passage that supports the sentence best; undefined when none does */
function supportOf(sentence: string, passages: [number, FoundPassage][]): number | undefined {
  const claimed = wordsOf(sentence);
  const numbers = [...claimed].filter((word) => /\d/.test(word));
  const required = numbers.length > 0 ? requiredShare.withNumbers : requiredShare.withoutNumbers;
  // A question claims nothing. An answer that found nothing often repeats what it searched for.
  if (claimed.size < minWords || /[?？؟]["'”’»)]*$/.test(sentence)) return undefined;
  let best: { n: number; share: number } | undefined;
  for (const [n, { text }] of passages) {
    const { start, end } = selectQuote(text, sentence);
    const quoted = wordsOf(text.slice(start, end));
    const share = [...claimed].filter((word) => quoted.has(word)).length / claimed.size;
    const isSupported = share >= required && numbers.every((number) => quoted.has(number));
    if (isSupported && share > (best?.share ?? 0)) best = { n, share };
  }
  return best?.n;
}

/** The words of a text in lower case, cut to five letters so that plural and past tense match; numbers are whole. */
function wordsOf(text: string): Set<string> {
  const segments = [...words.segment(text)].filter(({ isWordLike }) => isWordLike);
  return new Set(
    segments
      .map(({ segment }) => segment.toLowerCase())
      .filter((word) => word.length > 2 || /\d/.test(word))
      .map((word) => (/\d/.test(word) ? word : word.slice(0, 5))),
  );
}
