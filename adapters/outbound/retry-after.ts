export const isNumber = (text: string) => /^\d+(\.\d+)?$/.test(text);

/** A wait that somebody else asks for, in milliseconds: at most an hour. */
export const boundedMs = (ms: number): number | undefined =>
  Number.isFinite(ms) && ms > 0 ? Math.min(ms, 3_600_000) : undefined;

/** What `Retry-After` says, in seconds or as a date, as milliseconds from now; at most an hour. */
export const retryAfterHeaderMs = (header: string): number | undefined =>
  boundedMs(isNumber(header) ? Number(header) * 1_000 : Date.parse(header) - Date.now());
