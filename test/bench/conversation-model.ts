import { roughTokens } from '../../activities/context/context-size.ts';
import type { Message, ModelProvider } from '../../contract/ports/index.ts';

/** Every so many messages the talker searches first. */
const searchEvery = 4;
/** Every so many searches it reads a result again that made room. */
const readEvery = 5;
/** Every so many answers it cites a passage that only a summary speaks of. */
const recallEvery = 20;
/** Whether the answer to the n-th message does. */
export const recalls = (n: number) => n % recallEvery === 3;

const sentence = 'The rule that you ask about has not changed since the spring, and the exceptions are few. ';
const answerOf = (n: number) => `To message ${n}: ${sentence.repeat(4)}\n\n${sentence.repeat(10)}`;
const summaryOf = (n: number) => `Up to message ${n} this was asked and found [1]: ${sentence.repeat(15)}`;

/**
 * A model in a long conversation: answers of some 1,300 characters, searches at every fourth message, cites what it
 * found, and counts a token for every four bytes it is sent.
 */
export function createTalker() {
  /** Of every call, in order. */
  const tokens: number[] = [];
  const provider: ModelProvider = {
    name: 'scripted',
    async *stream({ messages, instructions, idempotencyKey }) {
      const inputTokens = roughTokens(messages, instructions.length);
      tokens.push(inputTokens);
      const isSummary = idempotencyKey.endsWith('/summary');
      const last = messages.at(-1);
      const n = messageIn(messages);
      const call = !isSummary && last?.role === 'user' && n % searchEvery === 0 ? callOf(n, messages) : undefined;
      const text = call ? '' : isSummary ? summaryOf(n) : answerOf(n) + citing(n, messages);
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

/** The number of the message that is answered. */
function messageIn(messages: Message[]): number {
  const said = messages.findLast((message) => message.role === 'user' && message.text.startsWith('Message '));
  return said?.role === 'user' ? Number.parseInt(said.text.slice('Message '.length)) : 0;
}

function callOf(n: number, messages: Message[]) {
  const dropped = n % (searchEvery * readEvery) === 0 ? droppedIn(messages) : undefined;
  return dropped === undefined
    ? { callId: `search-${n}`, tool: 'search_documents', arguments: { query: questionIn(messages) } }
    : { callId: `read-${n}`, tool: 'read_result', arguments: { callId: dropped, maxCharacters: 2_000 } };
}

function questionIn(messages: Message[]): string {
  const last = messages.at(-1);
  return last?.role === 'user' ? last.text.slice(last.text.indexOf('about')) : '';
}

/** The call whose result made room first. */
function droppedIn(messages: Message[]): string | undefined {
  for (const message of messages) {
    if (message.role !== 'tool') continue;
    const found = message.results.find(({ output }) => JSON.stringify(output).includes('readMore'));
    if (found) return found.callId;
  }
  return undefined;
}

/** What the newest result says, or now and then the first passage of all. */
function citing(n: number, messages: Message[]): string {
  if (recalls(n)) return ' This was said at the very beginning [1].';
  const last = messages.at(-1);
  const found = last?.role === 'tool' ? /"n":(\d+)/.exec(JSON.stringify(last.results)) : null;
  return found ? ` So it says in the first passage [${found[1]}].` : '';
}
