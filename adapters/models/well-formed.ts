/**
 * A request without half characters, which a cut text may end in: JSON carries them, but what parses it on the other side
 * refuses the whole request. Each becomes U+FFFD, always the same, so that a prompt's beginning stays as it was.
 */
export function wellFormed<Value>(value: Value): Value {
  if (typeof value === 'string') return value.toWellFormed() as Value;
  if (Array.isArray(value)) return value.map((item: unknown) => wellFormed(item)) as Value;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]: [string, unknown]) => [key.toWellFormed(), wellFormed(item)]),
  ) as Value;
}
