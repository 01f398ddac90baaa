/**
 * A deep copy of a request in which every lone surrogate (half a character, as at the end of a cut text) is U+FFFD.
 *
 * JSON.stringify escapes lone surrogates, but many servers refuse a whole request that contains one. The replacement is
 * deterministic, so the prefix of a prompt stays the same and provider caches keep working.
 */
export function replaceLoneSurrogates<Value>(value: Value): Value {
  if (typeof value === 'string') return value.toWellFormed() as Value;
  if (Array.isArray(value)) return value.map((item: unknown) => replaceLoneSurrogates(item)) as Value;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]: [string, unknown]) => [key.toWellFormed(), replaceLoneSurrogates(item)]),
  ) as Value;
}
