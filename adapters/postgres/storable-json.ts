/** Text that Postgres can hold: it takes neither U+0000 nor halves of surrogate pairs. */
export const storableText = (text: string): string => text.replaceAll('\u0000', '').toWellFormed();

/**
 * JSON that Postgres can hold: what it does not take is valid JSON, and a model or a tool may well send it, but `jsonb`
 * refuses it, and then a paid answer would be lost.
 */
export const storableJson = (value: unknown): string =>
  JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'string' ? storableText(inner) : inner));
