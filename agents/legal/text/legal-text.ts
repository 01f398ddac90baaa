import { stemmer } from 'stemmer';
import { splitSentences, trimSpan, type Span } from '../../../contract/rules/sentences.ts';
import { createPause } from '../../../runtime/create-pause.ts';

/**
 * A sentence, list item or row of a document, [start, end), in UTF-16 code units. `words`: its words in lower case,
 * without articles; `stems`: the stem of each. `section`: index of the heading above it.
 */
export type Unit = Span & { words: readonly string[]; stems: readonly string[]; section: number; isHeading: boolean };

/** A heading with what stands below it, up to the next heading. The first has no heading: what stands before one. */
export type Section = Span & { title: string; stems: readonly string[] };

export type LegalText = { text: string; units: Unit[]; sections: Section[] };

/** A word, or a number with its separators. */
const word = /\p{L}[\p{L}\p{M}]*|\d+(?:[.,]\d+)*/gu;

/** Most stems are asked for again and again. */
const known = new Map<string, string>();
const maxKnown = 50_000;
/** What is longer is no word. */
const maxStemmed = 60;

/** Porter's stem of an English word in lower case. */
export function stemOf(lower: string): string {
  const found = known.get(lower);
  if (found !== undefined) return found;
  if (known.size >= maxKnown) known.clear();
  const stem = lower.length > 2 && lower.length <= maxStemmed ? stemmer(lower) : lower;
  known.set(lower, stem);
  return stem;
}

const articles = new Set(['a', 'an', 'the']);

/** The words of a text in lower case, without articles and the ending of a genitive. */
export const wordsOf = (text: string): string[] =>
  [...text.replace(/[’']s\b/g, '  ').matchAll(word)]
    .map(([found]) => found.toLowerCase())
    .filter((found) => !articles.has(found));

export const stemsIn = (text: string): string[] => wordsOf(text).map(stemOf);

/** Longest line that is read as a heading, in characters. */
const maxHeading = 90;
const markdownHeading = /^\s{0,3}#{1,6}\s+\S/;
const number =
  /^\s*(?:(?:section|article|clause|part|schedule|annex|exhibit)\s+)?(?:\d{1,2}(?:\.\d{1,2})*|[ivx]{1,5}|[a-z])[.)]?\s+/i;

/** Whether a line is a heading: marked as one, or short, with capitals and without the end of a sentence. */
function isHeadingLine(line: string, before: string, after: string): boolean {
  const plain = line.trim();
  if (plain === '' || plain.length > maxHeading) return false;
  if (markdownHeading.test(line)) return true;
  if (/: \S|\b(?:19|20)\d\d\b/.test(plain)) return false;
  if (/^[-*+•|>]/.test(plain) || /[.;:,!]$/.test(plain.replace(/\d+\.$/, ''))) return false;
  const title = plain.replace(/\*\*/g, '').replace(number, '');
  if (!/^\p{Lu}/u.test(title) || title.split(/\s+/).length > 10) return false;
  const isAlone = before.trim() === '' && (after.trim() === '' || number.test(plain));
  return (isAlone || (before.trim() === '' && /^\*\*[^*]+\*\*$/.test(plain))) && !/^(yes|no)$/i.test(title);
}

/** Splits a text into its sections and sentences. The time that it takes grows with the text's length. */
export async function readLegalText(text: string): Promise<LegalText> {
  const pause = createPause();
  const headings = headingsOf(text);
  const sections: Section[] = [{ start: 0, end: headings[0]?.start ?? text.length, title: '', stems: [] }];
  for (const [i, { start, end }] of headings.entries()) {
    const title = text.slice(start, end).replace(/[#*]/g, '').trim();
    sections.push({ start, end: headings[i + 1]?.start ?? text.length, title, stems: stemsIn(title) });
  }
  const units: Unit[] = [];
  for (const [section, { start, end, title }] of sections.entries()) {
    await pause();
    const heading = headings[section - 1];
    const from = heading ? heading.end : start;
    if (heading && title !== '') units.push(unitOf(text, heading, { section, isHeading: true }));
    for (const sentence of splitSentences(text.slice(from, end))) {
      await pause();
      for (const part of partsOf(text, { start: from + sentence.start, end: from + sentence.end })) {
        const span = trimSpan(text, part);
        if (span.end > span.start) units.push(unitOf(text, span, { section, isHeading: false }));
      }
    }
  }
  return { text, units, sections };
}

/** Most words of a sentence: what is longer has no marks of sentences, and is cut. */
const maxUnitWords = 1_000;

function* partsOf(text: string, { start, end }: Span): Iterable<Span> {
  let [from, count] = [start, 0];
  for (const { index } of text.slice(start, end).matchAll(word))
    if (++count > maxUnitWords) {
      yield { start: from, end: start + index };
      [from, count] = [start + index, 1];
    }
  yield { start: from, end };
}

function unitOf(text: string, span: Span, rest: Pick<Unit, 'section' | 'isHeading'>): Unit {
  const words = wordsOf(text.slice(span.start, span.end));
  return { start: span.start, end: span.end, words, stems: words.map(stemOf), ...rest };
}

function headingsOf(text: string): Span[] {
  const headings: Span[] = [];
  const lines = text.split('\n');
  let start = 0;
  for (const [i, line] of lines.entries()) {
    if (isHeadingLine(line, lines[i - 1] ?? '', lines[i + 1] ?? ''))
      headings.push(trimSpan(text, { start, end: start + line.length }));
    start += line.length + 1;
  }
  return headings;
}

/** Where a section stands, for people: the heading above a place, or the beginning of the document. */
export const titleAt = ({ sections }: LegalText, { section }: Pick<Unit, 'section'>): string =>
  sections[section]?.title || 'beginning of the document';
