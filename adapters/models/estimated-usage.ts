import type { ModelRequest, TokenCounts } from '../../contract/ports/index.ts';
import { estimateTokens } from '../../contract/rules/token-estimate.ts';

/** Estimated tokens of a call whose answer has that many characters. At least one token each way. */
export const estimatedUsage = (request: ModelRequest, outputCharacters: number): TokenCounts => ({
  inputTokens: estimateTokens(requestCharacters(request)),
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
  outputTokens: estimatedOutputTokens(outputCharacters),
});

/** Estimated tokens of an answer. At least one: every answer costs something. */
export const estimatedOutputTokens = (characters: number) => Math.max(1, estimateTokens(characters));

/** Approximate length of a request as it is sent. Never 0: an empty list alone has two characters. */
const requestCharacters = ({ instructions, messages, tools }: ModelRequest) =>
  instructions.length + JSON.stringify(messages).length + JSON.stringify(tools).length;
