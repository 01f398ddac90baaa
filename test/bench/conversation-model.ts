import { estimateMessageTokens } from '../../activities/context/context-size.ts';
import type { Message, ModelProvider } from '../../contract/ports/index.ts';

/** The model searches before it answers every 4th message. */
const searchEvery = 4;
/** In place of every 5th search, it reads a result that was dropped from the context. */
const readEvery = 5;
/** Every 20th answer cites the first passage, which by then only a summary of the context mentions. */
const recallEvery = 20;
export const citesFirstPassage = (n: number) => n % recallEvery === 3;

const sentence = 'The rule that you ask about has not changed since the spring, and the exceptions are few. ';
const answerOf = (n: number) => `To message ${n}: ${sentence.repeat(4)}\n\n${sentence.repeat(10)}`;
const summaryOf = (n: number) => `Up to message ${n} this was asked and found [1]: ${sentence.repeat(15)}`;

/**
 * A scripted model for a long conversation: it answers with about 1,300 characters, searches at every fourth message,
 * cites what it has found, and counts a token for every four bytes of its input.
 *
 * @returns also `tokens`, the input tokens of every call in order
 */
export function createConversationModel() {
  const tokens: number[] = [];
  const provider: ModelProvider = {
    name: 'scripted',
    async *stream({ messages, instructions, idempotencyKey }) {
      const inputTokens = estimateMessageTokens(messages, instructions.length);
      tokens.push(inputTokens);
      const isSummary = idempotencyKey.endsWith('/summary');
      const last = messages.at(-1);
      const n = messageNumber(messages);
      const call = !isSummary && last?.role === 'user' && n % searchEvery === 0 ? toolCallFor(n, messages) : undefined;
      const text = call ? '' : isSummary ? summaryOf(n) : answerOf(n) + citationFor(n, messages);
      for (let at = 0; at < text.length; at += 200) yield { type: 'text', text: text.slice(at, at + 200) };
      const outputTokens = Math.ceil(text.length / 4) + 40;
      yield { type: 'usage', usage: { inputTokens, outputTokens, cacheReadTokens: 0, cacheWriteTokens: 0 } };
      yield call
        ? { type: 'end', parts: [{ type: 'tool_call', ...call }], stopReason: 'tools' }
        : { type: 'end', parts: [{ type: 'text', text }], stopReason: 'end' };
    },
  };
  return { provider, tokens };
}

/** The number of the message that the model answers. */
function messageNumber(messages: Message[]): number {
  const message = messages.findLast((candidate) => candidate.role === 'user' && candidate.text.startsWith('Message '));
  return message?.role === 'user' ? Number.parseInt(message.text.slice('Message '.length)) : 0;
}

function toolCallFor(n: number, messages: Message[]) {
  const dropped = n % (searchEvery * readEvery) === 0 ? droppedCall(messages) : undefined;
  return dropped === undefined
    ? { callId: `search-${n}`, tool: 'search_documents', arguments: { query: questionText(messages) } }
    : { callId: `read-${n}`, tool: 'read_result', arguments: { callId: dropped, maxCharacters: 2_000 } };
}

function questionText(messages: Message[]): string {
  const last = messages.at(-1);
  return last?.role === 'user' ? last.text.slice(last.text.indexOf('about')) : '';
}

/** Id of the first call whose result was dropped from the context. */
function droppedCall(messages: Message[]): string | undefined {
  for (const message of messages) {
    if (message.role !== 'tool') continue;
    const dropped = message.results.find(({ output }) => JSON.stringify(output).includes('readMore'));
    if (dropped) return dropped.callId;
  }
  return undefined;
}

/** Cites the newest result, or the first passage of the conversation. */
function citationFor(n: number, messages: Message[]): string {
  if (citesFirstPassage(n)) return ' This was said at the very beginning [1].';
  const last = messages.at(-1);
  const passage = last?.role === 'tool' ? /"n":(\d+)/.exec(JSON.stringify(last.results)) : null;
  return passage ? ` So it says in the first passage [${passage[1]}].` : '';
}
