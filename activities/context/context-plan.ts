import type { StoredMessage } from '../../contract/messages.ts';
import { droppedOutput } from '../../contract/rules/tool-output.ts';
import { bytesOf, roughTokens } from './context-size.ts';
import type { MessageChain, Message } from '../../contract/ports/index.ts';

/** A part of a conversation, as a model gets it and as it is stored; both lists have the same places. */
export type Chain = { messages: Message[]; stored: StoredMessage[] };

/** Tokens of so many bytes. */
export type Density = (bytes: number) => number;

/** A result that takes less stays: reading it again would cost more. In tokens. */
const leastDrop = 100;

/**
 * How many tokens a conversation makes of its bytes, by the count of a model where there is one. Never less than the
 * plain estimate, which is what counts for the shorter conversation until a model has seen it.
 */
export function densityOf({ messages, counted }: MessageChain, overheadBytes: number): Density {
  const before = messages.slice(0, (counted?.index ?? -1) + 1);
  const measured = counted ? counted.tokens / Math.max(1, roughTokens(before, overheadBytes)) : 1;
  // A token is at least a byte.
  const tokensPerByte = Math.min(4, Math.max(1, measured)) / 4;
  return (bytes) => bytes * tokensPerByte;
}

export const bytesOfAll = (messages: Message[]) => messages.reduce((sum, message) => sum + bytesOf(message), 0);

/** Takes the oldest tool results out until enough bytes are saved or none is left; never one of the newest tool message. */
export function dropResults(chain: Chain, toSave: number, density: Density): Chain & { dropped: number } {
  const newest = chain.messages.findLastIndex(({ role }) => role === 'tool');
  let saved = 0;
  let dropped = 0;
  const messages = chain.messages.map((message, i): Message => {
    if (message.role !== 'tool' || i >= newest) return message;
    const results = message.results.map((result) => {
      const shorter = { ...result, output: droppedOutput(result.callId) };
      const gain = bytesOf({ role: 'tool', results: [result] }) - bytesOf({ role: 'tool', results: [shorter] });
      if (saved >= toSave || density(gain) < leastDrop) return result;
      saved += gain;
      dropped++;
      return shorter;
    });
    return { ...message, results };
  });
  const stored = chain.stored.map((message, i): StoredMessage => {
    const before = chain.messages[i];
    const after = messages[i];
    if (message.role !== 'tool' || before?.role !== 'tool' || after?.role !== 'tool') return message;
    const results = message.results.map((result, k) =>
      before.results[k] === after.results[k] ? result : { ...result, dropped: true as const },
    );
    return { ...message, results };
  });
  return { messages, stored, dropped };
}

/** What stays word for word when a summary stands for the rest. */
export type Split = {
  /** Where the newest messages begin; all before is what the summary is written from. */
  tail: number;
  kept: Chain;
  /** Messages that the summary stands for. */
  replaced: number;
};

/**
 * Keeps the first question, the newest one of a person, and the newest messages: as many as fit, at the least the
 * model's last words and what came after them. A tool call is never cut from its result.
 *
 * @returns undefined when there is nothing between them
 */
export function splitForSummary({ messages, stored }: Chain, tailTokens: number, density: Density): Split | undefined {
  let tail = messages.findLastIndex(({ role }) => role === 'assistant');
  let bytes = bytesOfAll(messages.slice(Math.max(0, tail)));
  for (let i = tail - 1; i > 0; i--) {
    const message = messages[i];
    if (!message || message.role === 'compaction') break;
    bytes += bytesOf(message);
    if (density(bytes) > tailTokens) break;
    if (message.role !== 'tool') tail = i;
  }
  const isQuestion = (message: Message) => message.role === 'user' && message.because === undefined;
  const questions = [messages.findIndex(isQuestion), messages.findLastIndex(isQuestion)];
  const stays = (i: number) => i >= tail || questions.includes(i);
  const replaced = messages.filter(({ role }, i) => role !== 'compaction' && !stays(i)).length;
  if (tail < 0 || replaced === 0) return undefined;
  const kept = { messages: messages.filter((_, i) => stays(i)), stored: stored.filter((_, i) => stays(i)) };
  return { tail, kept, replaced };
}
