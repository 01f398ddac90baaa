import { AlfredError } from '../../../contract/errors.ts';
import { characterBoundary } from '../../../contract/rules/character-boundary.ts';
import type { Span } from '../../../contract/rules/sentences.ts';

/** A part of a document, word for word. Offsets are UTF-16 code units of the document's text. */
export type Quotation = { quote: string; start: number; end: number };

/** Longest quotation, in characters. */
const maxQuote = 500;

/** Quotes a part of a text; a long one up to a word before `maxQuote`. */
export function quotationOf(text: string, { start, end }: Span): Quotation {
  if (end - start <= maxQuote) return { quote: text.slice(start, end), start, end };
  const space = text.slice(start, start + maxQuote + 1).search(/\s\S*$/);
  const cut = space > 0 ? start + space : characterBoundary(text, start + maxQuote);
  return { quote: text.slice(start, cut), start, end: cut };
}

/**
 * The one way by which a result leaves a legal tool: every quotation in it, at any depth, is compared with its source.
 * A quotation in an answer for people, between “ and ”, must stand in a source too, up to white space.
 *
 * @param sources the texts that were read, by the names that quotations have in `source`; else `document`
 * @throws AlfredError `internal` when a quotation is not in its source: then nothing leaves
 */
export function sealResult<Result>(result: Result, answer: string, sources: Record<string, string>): Result {
  for (const { quote, start, end, source = 'document' } of quotationsIn(result)) {
    const text = Object.hasOwn(sources, source) ? sources[source] : undefined;
    if (quote === '' || text?.slice(start, end) !== quote)
      throw new AlfredError(
        'internal',
        `A quotation at ${start}–${end} is not in its source, so the result is withheld.`,
      );
  }
  const texts = Object.values(sources).map(onOneLine);
  for (const shown of quotedIn(answer))
    if (!texts.some((text) => text.includes(shown)))
      throw new AlfredError('internal', 'An answer quotes what is not in its source, so the result is withheld.');
  return result;
}

type FoundQuotation = Quotation & { source?: string };

/** Every quotation of a value: an object with `quote`, `start` and `end`. */
function* quotationsIn(value: unknown): Iterable<FoundQuotation> {
  if (typeof value !== 'object' || value === null) return;
  if (isQuotation(value)) yield value;
  for (const inner of Object.values(value)) yield* quotationsIn(inner);
}

const isQuotation = (value: object): value is FoundQuotation => 'quote' in value && typeof value.quote === 'string';

/**
 * On one line, with straight quotation marks, which do not end a quotation, and with round brackets around numbers: [1]
 * in a document is no citation, and `[Approve](https://…)` is no link.
 */
export const onOneLine = (text: string): string =>
  text
    .replace(/\s+/g, ' ')
    .replace(/[“”]/g, '"')
    .replace(/\[(\d{1,4}(?: ?, ?\d{1,4})*)\]/g, '($1)')
    .replace(linkParts, '$& ')
    .trim();

/** Text beside quotations: what looks like one would be compared with the sources. */
export const withoutQuotes = (text: string): string => text.replace(/[“”]/g, '"').replace(linkParts, '$& ');

/** Where Markdown would read a link, an image or HTML: a space there makes it plain text, which is compared as such. */
const linkParts = /\](?=[([])|<(?=[a-z/!?])/gi;

/** Longest quotation that an answer shows, in characters; the offsets lead to the rest. */
const maxShown = 280;

/** A quotation for people: on one line, between “ and ”. What was left out stands behind it as `…`. */
export function showQuotation({ quote }: Quotation): string {
  const line = onOneLine(quote);
  if (line.length <= maxShown) return `“${line}”`;
  const space = line.slice(0, maxShown + 1).search(/\s\S*$/);
  return `“${line.slice(0, space > 0 ? space : characterBoundary(line, maxShown))}”…`;
}

const quotedIn = (answer: string): string[] =>
  [...answer.matchAll(/“([^”]*)”/g)].map(([, shown = '']) => onOneLine(shown));
