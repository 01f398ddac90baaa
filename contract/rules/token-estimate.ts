/**
 * Tokens of a text for which no provider has counted any.
 *
 * Four characters are one token: the average of English text in the tokenizers of OpenAI and Anthropic.
 *
 * @param length characters or bytes
 */
export const estimateTokens = (length: number) => Math.ceil(length / 4);
