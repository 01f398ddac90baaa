import type { StoredMessage } from '../../contract/messages.ts';
import { droppedOutput } from '../../contract/rules/tool-output.ts';
import { messageBytes, estimateMessageTokens } from './context-size.ts';
import type { MessageChain, Message } from '../../contract/ports/index.ts';

/** A part of a conversation, as the model gets it and as it is stored. Both lists have the same order. */
export type Chain = { messages: Message[]; stored: StoredMessage[] };

/** Converts bytes to tokens. */
export type Density = (bytes: number) => number;

/** A smaller result is not dropped: reading it again would cost more. In tokens. */
const minDropTokens = 100;

/**
 * Measures how many tokens a conversation has per byte, from a model's count if there is one. Never below the plain
 * estimate, because that is used for the shorter conversation until a model has counted it.
 */
export function densityOf({ messages, counted }: MessageChain, overheadBytes: number): Density {
  const before = messages.slice(0, (counted?.index ?? -1) + 1);
  const measured = counted ? counted.tokens / Math.max(1, estimateMessageTokens(before, overheadBytes)) : 1;
  // A token has at least one byte.
  const tokensPerByte = Math.min(4, Math.max(1, measured)) / 4;
  return (bytes) => bytes * tokensPerByte;
}

/** UTF-8 bytes of messages as the model gets them. */
export const totalMessageBytes = (messages: Message[]) =>
  messages.reduce((sum, message) => sum + messageBytes(message), 0);

/** Drops the oldest tool results until enough bytes are saved, but none of the newest tool message. */
export function dropResults(chain: Chain, bytesToSave: number, density: Density): Chain & { dropped: number } {
  const newest = chain.messages.findLastIndex(({ role }) => role === 'tool');
  let saved = 0;
  let dropped = 0;
  const messages = chain.messages.map((message, i): Message => {
    if (message.role !== 'tool' || i >= newest) return message;
    const results = message.results.map((result) => {
      const shorter = { ...result, output: droppedOutput(result.callId) };
      const gain =
        messageBytes({ role: 'tool', results: [result] }) - messageBytes({ role: 'tool', results: [shorter] });
      if (saved >= bytesToSave || density(gain) < minDropTokens) return result;
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

/** What stays unchanged when a summary replaces the rest. */
export type Split = {
  /** Index of the first of the newest messages. The summary is written from all messages before it. */
  tail: number;
  kept: Chain;
  /** Number of messages that the summary replaces. */
  replaced: number;
};

/**
 * Keeps the first question, the newest question, and as many of the newest messages as fit: at least the model's last
 * message and what came after it. A tool call is never separated from its result.
 *
 * @returns undefined when there is nothing left to replace
 */
export function splitForSummary({ messages, stored }: Chain, tailTokens: number, density: Density): Split | undefined {
  let tail = messages.findLastIndex(({ role }) => role === 'assistant');
  let bytes = totalMessageBytes(messages.slice(Math.max(0, tail)));
  for (let i = tail - 1; i > 0; i--) {
    const message = messages[i];
    if (!message || message.role === 'compaction') break;
    bytes += messageBytes(message);
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
