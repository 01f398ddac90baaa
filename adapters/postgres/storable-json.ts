/** Text without what Postgres refuses: U+0000 is removed, halves of surrogate pairs become U+FFFD. */
export const storableText = (text: string): string => text.replaceAll('\u0000', '').toWellFormed();

/**
 * JSON that a `jsonb` column accepts. Models and tools send U+0000 and lone surrogates,
 * which are valid in JSON; refusing them would lose a response that was paid for.
 */
export const storableJson = (value: unknown): string =>
  JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'string' ? storableText(inner) : inner));
