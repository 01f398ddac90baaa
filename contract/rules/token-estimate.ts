/**
 * Estimates the tokens of a text that no provider has counted: four characters a token, OpenAI's rule of thumb for
 * English text.
 *
 * @param length characters or bytes
 */
export const estimateTokens = (length: number) => Math.ceil(length / 4);
