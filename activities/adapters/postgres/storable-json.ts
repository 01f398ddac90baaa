/**
 * JSON that Postgres can hold: U+0000 and halves of surrogate pairs are valid JSON, and a model or a tool may well send
 * them, but `jsonb` refuses them, and then a paid answer would be lost.
 */
export const storableJson = (value: unknown): string =>
  JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'string' ? inner.replaceAll('\u0000', '').toWellFormed() : inner,
  );
