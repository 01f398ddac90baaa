import type { AssistantPart } from '../../contract/messages.ts';
import { splitSentences } from '../../contract/rules/sentences.ts';
import { estimateTokens } from '../../contract/rules/token-estimate.ts';
import { passagesOf } from '../../contract/rules/tool-output.ts';
import type { MessageChain, Message } from '../../contract/ports/index.ts';

// This file makes two kinds of numbers from the UTF-8 bytes of a conversation:
// - Estimates count a quarter of the bytes. They decide when a conversation is shortened, and to what size.
// - Upper bounds count each byte as one token, because a byte-level tokenizer makes at most one token per byte. They
//   are the input of a call's worst case, which is charged before the call.

/** Upper bound of the bytes of the `read_result` tool. A request has this tool only if there is something to read. */
export const readResultToolBytes = 1_536;

/** Upper bound of the tokens that a chat template adds around a message, a part of a message, or the whole. */
const wrapperTokens = 32;

/** Upper bound of the tokens that a provider adds to describe the tools. A model's count includes them. */
const toolPromptTokens = 1_024;

/**
 * Upper bound of the bytes of text that an adapter adds around a summary, or around the tool that a user asks to call
 * first.
 */
const adapterTextBytes = 256;

/**
 * Estimates the tokens of a conversation: the last count of a model, plus a quarter of the bytes that came after it.
 * For English that is a quarter of the characters. Other scripts have more bytes per character, and more tokens.
 *
 * @param overheadBytes UTF-8 bytes of instructions, tools and schemas. A model's count includes them, so they are added
 *   only if there is no count.
 */
export function estimateChainTokens(
  { messages, counted }: Pick<MessageChain, 'messages' | 'counted'>,
  overheadBytes: number,
): number {
  if (!counted) return estimateMessageTokens(messages, overheadBytes);
  return counted.tokens + estimateMessageTokens(messages.slice(counted.index + 1));
}

/**
 * Upper bound of a conversation's tokens, for any content: the last count of the same model, plus one token for each
 * byte that came after it. A count by another model is not used.
 *
 * @param model              `provider:model`
 * @param overheadBytes      UTF-8 bytes of instructions, tools and schemas. A model's count includes them, so they are
 *   added only if there is no count.
 * @param sendsSearchResults whether the provider gets passages as search results, which it can cite
 */
export function maxChainTokens(
  { messages, counted }: Pick<MessageChain, 'messages' | 'counted'>,
  model: string,
  overheadBytes: number,
  sendsSearchResults = false,
): number {
  const lastCount = counted?.by === model ? counted : undefined;
  const countedMessages = lastCount ? messages.slice(0, lastCount.index + 1) : [];
  const uncountedMessages = messages.slice(countedMessages.length);
  let tokens = wrapperTokens;
  if (lastCount) {
    // The last counted message is the model's response, and the request that was counted ended before it. That request
    // had no `read_result` tool if nothing was left out of its messages.
    const isReadResultNew = !hasOmissions(countedMessages.slice(0, -1)) && hasOmissions(messages);
    tokens += lastCount.tokens + (isReadResultNew ? readResultToolBytes : 0);
  } else tokens += overheadBytes + toolPromptTokens;
  for (const message of uncountedMessages) {
    tokens += messageBytes(message) + wrapperTokens * wrapperCount(message);
    if (sendsSearchResults) tokens += searchResultExtraTokens(message);
  }
  return tokens;
}

/**
 * Estimates the tokens of messages that no model has counted: a quarter of their bytes.
 *
 * @param overheadBytes UTF-8 bytes of text that is sent beside the messages, like instructions
 */
export const estimateMessageTokens = (messages: Message[], overheadBytes = 0): number =>
  estimateTokens(messages.reduce((sum, message) => sum + messageBytes(message), overheadBytes));

/**
 * Whether a conversation leaves out earlier messages or parts of results, so that the model needs a way to read them.
 */
export const hasOmissions = (messages: Message[]): boolean =>
  messages.some(
    (message) =>
      message.role === 'compaction' ||
      (message.role === 'tool' &&
        message.results.some(
          ({ output }) => typeof output === 'object' && output !== null && Object.hasOwn(output, 'readMore'),
        )),
  );

/** UTF-8 bytes of a message as the model gets it, without what a chat template adds. */
export function messageBytes(message: Message): number {
  switch (message.role) {
    case 'user':
      return byteLength(message.text) + (message.tool ? adapterTextBytes + jsonByteLength(message.tool) : 0);
    case 'assistant':
      return message.parts.reduce((sum, part) => sum + partBytes(part), 0);
    case 'tool':
      return message.results.reduce(
        (sum, { callId, tool, output }) =>
          sum +
          byteLength(callId) +
          byteLength(tool) +
          (typeof output === 'string' ? byteLength(output) : jsonByteLength(output)),
        0,
      );
    case 'compaction':
      return message.summary === undefined ? 0 : adapterTextBytes + byteLength(message.summary);
  }
}

/** UTF-8 bytes of a part of a response as the model gets it. */
function partBytes(part: AssistantPart): number {
  if (part.type === 'text') return byteLength(part.text);
  if (part.type === 'opaque') return jsonByteLength(part.value);
  const extraBytes = part.extra ? jsonByteLength(part.extra.value) : 0;
  const callBytes = byteLength(part.callId) + byteLength(part.tool) + jsonByteLength(part.arguments);
  return callBytes + byteLength(part.malformed ?? '') + extraBytes;
}

/** How many wrappers of a chat template a message gets: one for the message and one for each of its parts. */
function wrapperCount(message: Message): number {
  if (message.role === 'assistant') return 1 + message.parts.length;
  return message.role === 'tool' ? 1 + message.results.length : 1;
}

/**
 * Upper bound of the tokens that search results have beside the JSON of their passages: ids and titles again, and a
 * wrapper per passage and sentence.
 */
function searchResultExtraTokens(message: Message): number {
  const outputs = message.role === 'tool' ? message.results.map(({ output }) => output) : [];
  return outputs
    .flatMap((output) => passagesOf(output) ?? [])
    .reduce(
      (sum, { text, chunkId, title, headingPath }) =>
        sum + jsonByteLength([chunkId, title, headingPath]) + wrapperTokens * (1 + splitSentences(text).length),
      0,
    );
}

const byteLength = (text: string) => Buffer.byteLength(text);
export const jsonByteLength = (value: unknown) => byteLength(JSON.stringify(value));
