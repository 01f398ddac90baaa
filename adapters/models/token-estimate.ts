import type { ModelEvent, ModelRequest } from '../../contract/ports/index.ts';

/** Tokens of a text where nobody counts them: four characters each, and never none. */
export const estimateTokens = (characters: number) => Math.max(1, Math.ceil(characters / 4));

/** Characters of a request as it is sent, about. */
export const requestCharacters = ({ instructions, messages, tools }: ModelRequest) =>
  instructions.length + JSON.stringify(messages).length + JSON.stringify(tools).length;

export type TokenCounts = (ModelEvent & { type: 'usage' })['usage'];

/** Estimated usage of a request whose answer had so many characters. */
export const estimatedUsage = (request: ModelRequest, outputCharacters: number): TokenCounts => ({
  inputTokens: estimateTokens(requestCharacters(request)),
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
  outputTokens: estimateTokens(outputCharacters),
});
