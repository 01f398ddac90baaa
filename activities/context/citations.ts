import type { JsonValue } from '../../contract/json.ts';
import type { AssistantPart, CitedPlace, StoredMessage } from '../../contract/messages.ts';
import type { ContentHash } from '../../contract/references.ts';
import { selectQuote } from '../../contract/rules/quote.ts';
import { splitSentences } from '../../contract/rules/sentences.ts';
import type { Citation } from '../../contract/task.ts';
import { agentAnswerOf, passagesOf, type AgentAnswer, type FoundPassage } from '../../contract/rules/tool-output.ts';
import type { Message } from '../../contract/ports/index.ts';

/**
 * Numbers the passages in a conversation's tool results 1, 2, 3 … by first appearance, so that [n] means the same
 * passage for the model, in the stream and in the answer. Adds an `n` before each passage's other fields. Numbers from
 * before a compaction stay. Idempotent.
 */
export function numberPassages(messages: Message[]): Message[] {
  const numbers = passageNumbersOf(messages);
  return messages.map((message) =>
    message.role === 'tool'
      ? {
          ...message,
          results: message.results.map((result) => ({ ...result, output: withNumbers(result.output, numbers) })),
        }
      : message,
  );
}

/** The number of each passage of a conversation, by chunk id, including passages from before a compaction. */
export function passageNumbersOf(messages: Message[]): Map<string, number> {
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

function withNumbers(output: JsonValue, numbers: Map<string, number>): JsonValue {
  const passages = passagesOf(output)?.map(({ n: _, ...passage }) => ({
    n: numbers.get(passage.chunkId) ?? 0,
    ...passage,
  }));
  const numbered = passages ? { ...(output as Record<string, JsonValue>), passages } : output;
  const answered = agentAnswerOf(numbered);
  return answered ? withAnswerNumbers(answered, numbers) : numbered;
}

/**
 * The answer of another agent with the numbers that its passages have in this conversation. `citedAs` says which number
 * in the answer means which passage. It is left out afterwards, so that nothing is numbered twice.
 *
 * A number without a meaning is no citation of ours: its brackets become round ones, because here the number may stand
 * for another passage. Nor is that of a passage which was left out, until the model reads it.
 */
function withAnswerNumbers({ citedAs, ...output }: AgentAnswer, numbers: Map<string, number>): JsonValue {
  const chunkIds = new Map(Object.entries(citedAs).map(([chunkId, n]) => [n, chunkId]));
  const answer = output.answer.replace(citation, (whole, list: string) => {
    const cited = list.split(',').map(Number);
    if (cited.some((n) => !isCitable(n))) return whole;
    const ours = cited.flatMap((n) => numberOf(numbers, chunkIds.get(n)) ?? []);
    if (ours.length > 0) return `[${ours.join(', ')}]`;
    return cited.some((n) => chunkIds.has(n)) ? '(source not shown)' : `(${list})`;
  });
  return { ...output, answer };
}

/** The number of a passage, or of the first part of it that is shown. */
const numberOf = (numbers: Map<string, number>, chunkId = '') =>
  numbers.get(chunkId) ?? [...numbers].find(([shown]) => isPartOf(shown, chunkId))?.[1];

const isPartOf = (part: string, chunkId: string) =>
  part.startsWith(`${chunkId}.`) && /^(\.\d+-\d+)+$/.test(part.slice(chunkId.length));

/** The places that the provider marked as cited in an answer. */
export const placesIn = (parts: AssistantPart[]): CitedPlace[] =>
  parts.flatMap((part) => (part.type === 'text' ? (part.citations ?? []) : []));

/**
 * The citations of an answer: every [n] in it that names a passage of the conversation, in order of appearance. The
 * quote is the first place in the passage that the provider marked as cited, or else the sentences closest to the
 * claim. Quotes are cut from the passage, so they are in the document word for word.
 *
 * @param places marked by the provider; a place whose quote is not in its passage is ignored
 */
export function citationsOf(text: string, messages: Message[], places: CitedPlace[] = []): Citation[] {
  const passages = passagesByNumber(messages);
  const citations = new Map<number, Citation>();
  for (const { n, at } of citedNumbers(text)) {
    const passage = passages.get(n);
    if (!passage || citations.has(n)) continue;
    const { start, end } = findPlace(passage, places) ?? selectQuote(passage.text, claimBefore(text, at));
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

const findPlace = (passage: FoundPassage, places: CitedPlace[]) =>
  places.find(
    ({ chunkId, start, end, quote }) =>
      chunkId === passage.chunkId && quote !== '' && passage.text.slice(start, end) === quote,
  );

/** Whether an agent answers from documents, which it or an agent that it asks has read: its answers cite passages. */
export const isCitingAgent = ({ tools }: { tools: readonly string[] }): boolean =>
  tools.includes('search_documents') || tools.includes('delegate');

/** Cited numbers that no passage of the conversation has. */
export function unknownNumbers(text: string, messages: Message[]): number[] {
  const passages = passagesByNumber(messages);
  return [...new Set([...citedNumbers(text)].map(({ n }) => n))].filter((n) => isCitable(n) && !passages.has(n));
}

/** Not citations: a year in brackets, an array index. */
const isCitable = (n: number) => n > 0 && n < 1_000;

/**
 * Replaces citations of unknown passages, so that the reader sees that the model named a source which does not exist.
 */
export const replaceUnknownCitations = (text: string, unknown: number[]): string =>
  text.replace(citation, (_, list: string) => {
    const knownNumbers = list.split(',').filter((n) => !unknown.includes(Number(n)));
    return knownNumbers.length > 0 ? `[${knownNumbers.map((n) => n.trim()).join(', ')}]` : '[no such source]';
  });

const citation = /\[(\d{1,4}(?:\s*,\s*\d{1,4})*)\]/g;

/** Numbers that an answer cites and whose passages these messages no longer show. */
export function citedNotShown(text: string, messages: Message[]): number[] {
  const shown = passagesByNumber(messages);
  const numbersOfConversation = new Set(passageNumbersOf(messages).values());
  return [...new Set([...citedNumbers(text)].map(({ n }) => n))].filter(
    (n) => numbersOfConversation.has(n) && !shown.has(n),
  );
}

/**
 * The passage numbers that each tool result was the first to show, by the result's hash. Includes what an earlier
 * compaction recorded.
 *
 * @param messages with numbered passages
 * @param stored   the same messages as they are stored
 */
export function numbersByResult(messages: Message[], stored: StoredMessage[]): Record<ContentHash, number[]> {
  const shownBy = new Map<ContentHash, number[]>();
  const attributed = new Set<number>();
  const add = (result: ContentHash, numbers: number[]) => {
    const added = numbers.filter((n) => !attributed.has(n));
    if (added.length > 0) shownBy.set(result, [...(shownBy.get(result) ?? []), ...added]);
    for (const n of added) attributed.add(n);
  };
  for (const [i, message] of messages.entries()) {
    const storedMessage = stored[i];
    if (message.role === 'compaction')
      for (const [result, numbers] of Object.entries(message.shownBy ?? {})) add(result, numbers);
    if (message.role !== 'tool' || storedMessage?.role !== 'tool') continue;
    for (const [k, { output }] of message.results.entries())
      add(
        storedMessage.results[k]?.result ?? '',
        (passagesOf(output) ?? []).flatMap(({ n }) => (typeof n === 'number' ? [n] : [])),
      );
  }
  return Object.fromEntries(shownBy);
}

/** The passages that these messages show, by their numbers. */
export function passagesByNumber(messages: Message[]): Map<number, FoundPassage> {
  const passages = new Map<number, FoundPassage>();
  for (const message of messages) {
    if (message.role !== 'tool') continue;
    for (const { output } of message.results)
      for (const passage of passagesOf(output) ?? [])
        if (typeof passage.n === 'number') passages.set(passage.n, { ...passage, ...searchOf(output) });
  }
  return passages;
}

/** The search that found an output's passages. */
function searchOf(output: JsonValue): { indexVersion?: string; query?: string } {
  if (typeof output !== 'object' || output === null || Array.isArray(output)) return {};
  const { indexVersion, query } = output;
  return {
    ...(typeof indexVersion === 'string' ? { indexVersion } : {}),
    ...(typeof query === 'string' ? { query } : {}),
  };
}

/** Each cited number ([n], or each of [1, 2]), and where it stands. */
function* citedNumbers(text: string): Iterable<{ n: number; at: number }> {
  for (const { index: at, 1: list = '' } of text.matchAll(citation))
    for (const n of list.split(',')) yield { n: Number(n), at };
}

/** Words below which a sentence says too little to find its quote, like "Yes." The sentence before it belongs to it. */
const minClaimWords = 4;

const words = new Intl.Segmenter(undefined, { granularity: 'word' });
const countWords = (text: string) => [...words.segment(text)].filter(({ isWordLike }) => isWordLike).length;

/** So much of a text before a citation is looked at, in characters: no sentence is longer. */
const claimWindow = 4_000;

/**
 * The claim of a citation: the last sentence before it, within its paragraph. Other numbers in it are not part of it.
 */
function claimBefore(text: string, at: number): string {
  const before = text
    .slice(Math.max(0, at - claimWindow), at)
    .replace(citation, ' ')
    .trimEnd();
  const paragraph = before.slice(before.lastIndexOf('\n') + 1);
  let start = paragraph.length;
  for (const sentence of splitSentences(paragraph).reverse()) {
    ({ start } = sentence);
    if (countWords(paragraph.slice(start)) >= minClaimWords) break;
  }
  return paragraph.slice(start);
}

/** Whether an answer cites anything. */
export const hasCitations = (text: string): boolean => text.search(citation) !== -1;
