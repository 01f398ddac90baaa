import { Passage } from '../contract/documents.ts';
import type { JsonValue } from '../contract/json.ts';
import { bestQuote } from '../contract/quote.ts';
import type { Citation } from '../contract/task.ts';
import type { Message } from './ports.ts';

/**
 * Numbers the passages in a conversation's tool results 1, 2, 3 … by first appearance, so that the model, the stream
 * and the answer speak of the same [n]. Each passage gets an `n` beside its fields.
 */
export function numberPassages(messages: Message[]): Message[] {
  const numbers = new Map<string, number>();
  return messages.map((message) =>
    message.role === 'tool'
      ? {
          ...message,
          results: message.results.map((result) => ({ ...result, output: numbered(result.output, numbers) })),
        }
      : message,
  );
}

function numbered(output: JsonValue, numbers: Map<string, number>): JsonValue {
  const passages = passagesOf(output);
  if (!passages) return output;
  return {
    ...(output as Record<string, JsonValue>),
    passages: passages.map((passage) => {
      const n = numbers.get(passage.chunkId) ?? numbers.size + 1;
      numbers.set(passage.chunkId, n);
      return { n, ...passage };
    }),
  };
}

/**
 * The citations of an answer: every [n] in it that names a passage of the conversation, in order of appearance, each
 * with the sentences of that passage that come closest to what the answer claims. Quotes are cut from the passage, so
 * they stand in the document word for word.
 */
export function citationsOf(text: string, messages: Message[]): Citation[] {
  const passages = new Map<number, Passage>();
  for (const message of messages) {
    if (message.role !== 'tool') continue;
    for (const { output } of message.results)
      for (const passage of passagesOf(output) ?? []) if (passage.n) passages.set(passage.n, passage);
  }
  const citations = new Map<number, Citation>();
  for (const { n, claim } of claims(text)) {
    const passage = passages.get(n);
    if (!passage || citations.has(n)) continue;
    const { start, end } = bestQuote(passage.text, claim);
    const { documentId, document, title, headingPath, page, chunkId, contentHash } = passage;
    citations.set(n, {
      n,
      documentId,
      document,
      title,
      headingPath,
      page,
      chunkId,
      contentHash,
      quote: passage.text.slice(start, end),
      start: passage.start + start,
      end: passage.start + end,
    });
  }
  return [...citations.values()];
}

/** Each [n] (also [1, 2]) with the text before it, back to the end of the paragraph before. */
function* claims(text: string): Iterable<{ n: number; claim: string }> {
  for (const match of text.matchAll(/\[(\d{1,4}(?:\s*,\s*\d{1,4})*)\]/g)) {
    const before = text.slice(0, match.index);
    const claim = before.slice(before.trimEnd().lastIndexOf('\n') + 1);
    for (const n of match[1]?.split(',') ?? []) yield { n: Number(n), claim };
  }
}

const NumberedPassages = Passage.partial({ score: true }).loose();

function passagesOf(output: JsonValue): (Passage & { n?: number })[] | undefined {
  if (typeof output !== 'object' || output === null || Array.isArray(output) || !Array.isArray(output.passages))
    return undefined;
  const parsed = NumberedPassages.array().safeParse(output.passages);
  return parsed.success ? (parsed.data as (Passage & { n?: number })[]) : undefined;
}
