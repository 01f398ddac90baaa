import type { AssistantPart } from '../../contract/messages.ts';
import { splitSentences } from '../../contract/rules/quote.ts';
import { estimateTokens } from '../../contract/rules/token-estimate.ts';
import { passagesOf } from '../../contract/rules/tool-output.ts';
import type { MessageChain, Message } from '../../contract/ports/index.ts';

/** Upper bound of the bytes of the `read_result` tool, which a request has only if something can be read with it. */
export const readMoreBytes = 1_536;

/** Upper bound of the tokens that a chat template adds around a message, a part of a message, or the whole. */
const wrapperTokens = 32;

/** Upper bound of the tokens that a provider adds to describe the tools. A model's count includes them. */
const toolPromptTokens = 1_024;

/**
 * Upper bound of the bytes that an adapter adds around a summary, or around the tool that a user asks to call first.
 */
const adapterBytes = 128;

/**
 * Estimates the tokens of a conversation: the last count of a model, plus a quarter of the bytes that came after it.
 * For English that is a quarter of the characters. Other scripts have more bytes per character, and more tokens.
 *
 * @param overheadBytes UTF-8 bytes of instructions, tools and schemas; a model's count includes them
 */
export function estimateChainTokens(
  { messages, counted }: Pick<MessageChain, 'messages' | 'counted'>,
  overheadBytes: number,
) {
  const after = messages.slice((counted?.index ?? -1) + 1);
  return counted ? counted.tokens + estimateMessageTokens(after) : estimateMessageTokens(after, overheadBytes);
}

/**
 * Upper bound of a conversation's tokens, for any content: a byte-level tokenizer makes at most one token of each byte.
 * Only a count by the same model is relied on.
 *
 * @param model `provider:model`
 * @param isCiting whether passages are sent as search results
 */
export function boundTokens(
  { messages, counted }: Pick<MessageChain, 'messages' | 'counted'>,
  model: string,
  overheadBytes: number,
  isCiting = false,
): number {
  const baseline = counted?.by === model ? counted : undefined;
  const before = messages.slice(0, (baseline?.index ?? -1) + 1);
  const after = messages.slice(before.length);
  // The last counted message is the model's own response. The request that was counted ended before it.
  const toolIsNew = baseline !== undefined && !hasOmissions(before.slice(0, -1)) && hasOmissions(messages);
  const start = baseline ? baseline.tokens + (toolIsNew ? readMoreBytes : 0) : overheadBytes + toolPromptTokens;
  const maxTokensOf = (message: Message) =>
    bytesOf(message) + wrapperTokens * partsIn(message) + (isCiting ? searchResultBytes(message) : 0);
  return after.reduce((sum, message) => sum + maxTokensOf(message), start + wrapperTokens);
}

/** Estimates the tokens of messages that no model has counted. */
export const estimateMessageTokens = (messages: Message[], overheadBytes = 0) =>
  estimateTokens(messages.reduce((sum, message) => sum + bytesOf(message), overheadBytes));

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

/** UTF-8 bytes of a message as the model gets it. */
export function bytesOf(message: Message): number {
  switch (message.role) {
    case 'user':
      return utf8(message.text) + (message.tool ? adapterBytes + json(message.tool) : 0);
    case 'assistant':
      return message.parts.reduce((sum, part) => sum + partBytes(part), 0);
    case 'tool':
      return message.results.reduce(
        (sum, { callId, tool, output }) =>
          sum + utf8(callId) + utf8(tool) + (typeof output === 'string' ? utf8(output) : json(output)),
        0,
      );
    case 'compaction':
      return message.summary === undefined ? 0 : adapterBytes + utf8(message.summary);
  }
}

function partBytes(part: AssistantPart): number {
  if (part.type === 'text') return utf8(part.text);
  if (part.type === 'opaque') return json(part.value);
  const extraBytes = part.extra ? json(part.extra.value) : 0;
  return utf8(part.callId) + utf8(part.tool) + json(part.arguments) + utf8(part.malformed ?? '') + extraBytes;
}

function partsIn(message: Message): number {
  if (message.role === 'assistant') return 1 + message.parts.length;
  return message.role === 'tool' ? 1 + message.results.length : 1;
}

/**
 * What search results add to the JSON of their passages: ids and titles again, and a wrapper per passage and sentence.
 */
function searchResultBytes(message: Message): number {
  const outputs = message.role === 'tool' ? message.results.map(({ output }) => output) : [];
  return outputs
    .flatMap((output) => passagesOf(output) ?? [])
    .reduce(
      (sum, { text, chunkId, title, headingPath }) =>
        sum + json([chunkId, title, headingPath]) + wrapperTokens * (1 + splitSentences(text).length),
      0,
    );
}

const utf8 = (text: string) => Buffer.byteLength(text);
const json = (value: unknown) => utf8(JSON.stringify(value));
