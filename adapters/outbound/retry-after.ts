/** Longest wait that a server can ask for: one hour, in milliseconds. */
const maxWaitMs = 3_600_000;

/** Whether a header's text is a non-negative decimal number. */
export const isNumber = (text: string) => /^\d+(\.\d+)?$/.test(text);

/** A wait in milliseconds, limited to one hour. @returns undefined for a wait that is not positive and finite */
export const boundedMs = (ms: number): number | undefined =>
  Number.isFinite(ms) && ms > 0 ? Math.min(ms, maxWaitMs) : undefined;

/** The wait that a `Retry-After` header asks for, as seconds or as a date, in milliseconds. At most one hour. */
export const retryAfterHeaderMs = (header: string): number | undefined =>
  boundedMs(isNumber(header) ? Number(header) * 1_000 : Date.parse(header) - Date.now());
