import type { JsonValue } from '../../contract/json.ts';
import type { AssistantPart, CitedPlace, StoredMessage } from '../../contract/messages.ts';
import type { ContentHash } from '../../contract/references.ts';
import { selectQuote } from '../../contract/rules/quote.ts';
import type { Citation } from '../../contract/task.ts';
import { passagesOf, type FoundPassage } from '../../contract/rules/tool-output.ts';
import type { Message } from '../../contract/ports/index.ts';

/**
 * Numbers the passages in a conversation's tool results 1, 2, 3 … by first appearance, so that the model, the stream
 * and the answer speak of the same [n]. Each passage gets an `n` before its fields. What a compaction has numbered keeps
 * its number. Numbering twice changes nothing.
 */
export function numberPassages(messages: Message[]): Message[] {
  const numbers = numbersOf(messages);
  return messages.map((message) =>
    message.role === 'tool'
      ? {
          ...message,
          results: message.results.map((result) => ({ ...result, output: numbered(result.output, numbers) })),
        }
      : message,
  );
}

/** The number of every passage in a conversation, by chunk id, those that a compaction holds included. */
export function numbersOf(messages: Message[]): Map<string, number> {
  const numbers = new Map<string, number>();
  for (const message of messages) {
    if (message.role === 'compaction')
      for (const [chunkId, n] of Object.entries(message.passages)) numbers.set(chunkId, n);
    if (message.role !== 'tool') continue;
    for (const { chunkId } of message.results.flatMap(({ output }) => passagesOf(output) ?? []))
      if (!numbers.has(chunkId)) numbers.set(chunkId, numbers.size + 1);
  }
  return numbers;
}

function numbered(output: JsonValue, numbers: Map<string, number>): JsonValue {
  const passages = passagesOf(output)?.map(({ n: _, ...passage }) => ({
    n: numbers.get(passage.chunkId) ?? 0,
    ...passage,
  }));
  return passages ? { ...(output as Record<string, JsonValue>), passages } : output;
}

/** What the provider says that an answer cites. */
export const placesIn = (parts: AssistantPart[]): CitedPlace[] =>
  parts.flatMap((part) => (part.type === 'text' ? (part.citations ?? []) : []));

/**
 * The citations of an answer: every [n] in it that names a passage of the conversation, in order of appearance, each
 * with the first place in that passage that the provider says was cited, else with the sentences that come closest to
 * what the answer claims. Quotes are cut from the passage, so they stand in the document word for word.
 *
 * @param places what the provider says; one whose words do not stand there is passed over
 */
export function citationsOf(text: string, messages: Message[], places: CitedPlace[] = []): Citation[] {
  const passages = passagesByNumber(messages);
  const citations = new Map<number, Citation>();
  for (const { n, claim } of claims(text)) {
    const passage = passages.get(n);
    if (!passage || citations.has(n)) continue;
    const { start, end } = placeIn(passage, places) ?? selectQuote(passage.text, claim);
    const { documentId, document, title, headingPath, page, chunkId, contentHash, version, indexVersion, query } =
      passage;
    citations.set(n, {
      n,
      documentId,
      document,
      title,
      headingPath,
      page,
      chunkId,
      contentHash,
      ...(typeof version === 'number' ? { version } : {}),
      ...(typeof indexVersion === 'string' ? { indexVersion } : {}),
      ...(typeof query === 'string' ? { query } : {}),
      quote: passage.text.slice(start, end),
      start: passage.start + start,
      end: passage.start + end,
    });
  }
  return [...citations.values()];
}

const placeIn = (passage: FoundPassage, places: CitedPlace[]) =>
  places.find(
    ({ chunkId, start, end, quote }) =>
      chunkId === passage.chunkId && quote !== '' && passage.text.slice(start, end) === quote,
  );

/** The numbers in an answer that no passage of the conversation has. */
export function unknownNumbers(text: string, messages: Message[]): number[] {
  const passages = passagesByNumber(messages);
  // A year in brackets, or an index into an array, is no citation.
  return [...new Set([...claims(text)].map(({ n }) => n))].filter((n) => n > 0 && n < 1_000 && !passages.has(n));
}

/** An answer in which false numbers are struck out: whoever reads it sees that a source was named and is none. */
export const replaceUnknownCitations = (text: string, unknown: number[]): string =>
  text.replace(citation, (_, list: string) => {
    const known = list.split(',').filter((n) => !unknown.includes(Number(n)));
    return known.length > 0 ? `[${known.map((n) => n.trim()).join(', ')}]` : '[no such source]';
  });

const citation = /\[(\d{1,4}(?:\s*,\s*\d{1,4})*)\]/g;

/** Each [n] of an answer that was given to a passage which these messages no longer show. */
export function citedBefore(text: string, messages: Message[]): number[] {
  const shown = passagesByNumber(messages);
  const given = new Set(numbersOf(messages).values());
  return [...new Set([...claims(text)].map(({ n }) => n))].filter((n) => given.has(n) && !shown.has(n));
}

/**
 * The numbers that each tool result was the first to show, by its hash. What a compaction knows of them stays.
 *
 * @param messages numbered
 * @param stored   the same messages as they are stored
 */
export function shownByOf(messages: Message[], stored: StoredMessage[]): Record<ContentHash, number[]> {
  const shownBy = new Map<ContentHash, number[]>();
  const known = new Set<number>();
  const add = (result: ContentHash, numbers: number[]) => {
    const added = numbers.filter((n) => !known.has(n));
    if (added.length > 0) shownBy.set(result, [...(shownBy.get(result) ?? []), ...added]);
    for (const n of added) known.add(n);
  };
  for (const [i, message] of messages.entries()) {
    const as = stored[i];
    if (message.role === 'compaction')
      for (const [result, numbers] of Object.entries(message.shownBy ?? {})) add(result, numbers);
    if (message.role !== 'tool' || as?.role !== 'tool') continue;
    for (const [k, { output }] of message.results.entries())
      add(
        as.results[k]?.result ?? '',
        (passagesOf(output) ?? []).flatMap(({ n }) => (typeof n === 'number' ? [n] : [])),
      );
  }
  return Object.fromEntries(shownBy);
}

function passagesByNumber(messages: Message[]): Map<number, FoundPassage> {
  const passages = new Map<number, FoundPassage>();
  for (const message of messages) {
    if (message.role !== 'tool') continue;
    for (const { output } of message.results)
      for (const passage of passagesOf(output) ?? [])
        if (typeof passage.n === 'number') passages.set(passage.n, { ...passage, ...foundBy(output) });
  }
  return passages;
}

/** What an output's passages were found by. */
function foundBy(output: JsonValue): { indexVersion?: string; query?: string } {
  if (typeof output !== 'object' || output === null || Array.isArray(output)) return {};
  const { indexVersion, query } = output;
  return {
    ...(typeof indexVersion === 'string' ? { indexVersion } : {}),
    ...(typeof query === 'string' ? { query } : {}),
  };
}

/** Each [n] (also [1, 2]) with the text before it, back to the end of the paragraph before. */
function* claims(text: string): Iterable<{ n: number; claim: string }> {
  for (const match of text.matchAll(citation)) {
    const before = text.slice(0, match.index);
    const claim = before.slice(before.trimEnd().lastIndexOf('\n') + 1);
    for (const n of match[1]?.split(',') ?? []) yield { n: Number(n), claim };
  }
}
