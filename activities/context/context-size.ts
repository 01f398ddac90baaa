import type { AssistantPart } from '../../contract/messages.ts';
import { splitSentences } from '../../contract/rules/quote.ts';
import { passagesOf } from '../../contract/rules/tool-output.ts';
import type { MessageChain, Message } from '../../contract/ports/index.ts';

/** A model is told of its tool that reads on (read-result.ts) only once there is something to read; what that takes at the most, in bytes. */
export const readMoreBytes = 1_536;

/** What a chat template puts around a message, a part of one or the whole; in tokens, generously. */
const wrapping = 32;

/** What a provider says to its model about tools, in tokens; a count includes it. */
const hidden = 1_024;

/** Words that a provider's adapter adds around a summary or a tool to begin with; in bytes, generously. */
const wording = 128;

/**
 * Tokens of a conversation, about: what a model has counted, and a quarter of the bytes of what came after. For English
 * that is a quarter of the characters; other scripts have more bytes a character, and more tokens.
 *
 * @param overheadBytes UTF-8 bytes of instructions, tools and schemas; a count includes them
 */
export function estimateTokens(
  { messages, counted }: Pick<MessageChain, 'messages' | 'counted'>,
  overheadBytes: number,
) {
  const after = messages.slice((counted?.index ?? -1) + 1);
  return counted ? counted.tokens + roughTokens(after) : roughTokens(after, overheadBytes);
}

/**
 * Tokens that a conversation cannot exceed, whatever it says: a tokenizer that works on bytes makes at most one token of
 * each. Only a count of the same model is taken for granted.
 *
 * @param model `provider:model`
 * @param isCiting passages are sent as search results
 */
export function boundTokens(
  { messages, counted }: Pick<MessageChain, 'messages' | 'counted'>,
  model: string,
  overheadBytes: number,
  isCiting = false,
): number {
  const known = counted?.by === model ? counted : undefined;
  const before = messages.slice(0, (known?.index ?? -1) + 1);
  const after = messages.slice(before.length);
  // The message that was counted last is what the model answered; it was asked without it.
  const toolIsNew = known !== undefined && !hasMore(before.slice(0, -1)) && hasMore(messages);
  const start = known ? known.tokens + (toolIsNew ? readMoreBytes : 0) : overheadBytes + hidden;
  const sizeOf = (message: Message) =>
    bytesOf(message) + wrapping * piecesOf(message) + (isCiting ? framesOf(message) : 0);
  return after.reduce((sum, message) => sum + sizeOf(message), start + wrapping);
}

export const roughTokens = (messages: Message[], overheadBytes = 0) =>
  Math.ceil(messages.reduce((sum, message) => sum + bytesOf(message), overheadBytes) / 4);

/** Whether a conversation holds less than was said or found, so that the model needs a way to read the rest. */
export const hasMore = (messages: Message[]): boolean =>
  messages.some(
    (message) =>
      message.role === 'compaction' ||
      (message.role === 'tool' &&
        message.results.some(
          ({ output }) => typeof output === 'object' && output !== null && Object.hasOwn(output, 'readMore'),
        )),
  );

/** UTF-8 bytes of a message as a model gets it. */
export function bytesOf(message: Message): number {
  switch (message.role) {
    case 'user':
      return utf8(message.text) + (message.tool ? wording + json(message.tool) : 0);
    case 'assistant':
      return message.parts.reduce((sum, part) => sum + partBytes(part), 0);
    case 'tool':
      return message.results.reduce(
        (sum, { callId, tool, output }) =>
          sum + utf8(callId) + utf8(tool) + (typeof output === 'string' ? utf8(output) : json(output)),
        0,
      );
    case 'compaction':
      return message.summary === undefined ? 0 : wording + utf8(message.summary);
  }
}

function partBytes(part: AssistantPart): number {
  if (part.type === 'text') return utf8(part.text);
  if (part.type === 'opaque') return json(part.value);
  return utf8(part.callId) + utf8(part.tool) + json(part.arguments) + utf8(part.malformed ?? '');
}

function piecesOf(message: Message): number {
  if (message.role === 'assistant') return 1 + message.parts.length;
  return message.role === 'tool' ? 1 + message.results.length : 1;
}

/** What search results take beyond the JSON of their passages: titles and ids once more, a frame for each and each of its sentences. */
function framesOf(message: Message): number {
  const outputs = message.role === 'tool' ? message.results.map(({ output }) => output) : [];
  return outputs
    .flatMap((output) => passagesOf(output) ?? [])
    .reduce(
      (sum, { text, chunkId, title, headingPath }) =>
        sum + json([chunkId, title, headingPath]) + wrapping * (1 + splitSentences(text).length),
      0,
    );
}

const utf8 = (text: string) => Buffer.byteLength(text);
const json = (value: unknown) => utf8(JSON.stringify(value));
