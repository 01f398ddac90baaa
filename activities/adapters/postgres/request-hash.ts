import { hashOf } from './contents.ts';

/** Tells whether a repeat under the same idempotency key is the same request, in whatever order its keys come. */
export const requestHashOf = (request: unknown): string => hashOf(JSON.stringify(canonical(request)));

/** The same request with its keys in order. */
function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, entry]) => entry !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, entry]) => [key, canonical(entry)]),
  );
}
