/** The slowest pace of a model that is waited for, in tokens a second: a large model on a machine without a GPU. */
const slowestTokensPerS = 4;
/** How long a model may read and think before it writes, in milliseconds. */
const beforeWritingMs = 30 * 60_000;

/** The longest duration of one model call, in milliseconds. Silence ends a call much earlier. */
export const callLimitMs = (maxOutputTokens: number): number =>
  beforeWritingMs + Math.ceil((maxOutputTokens / slowestTokensPerS) * 1_000);

/**
 * The longest duration of one attempt at a step, in milliseconds: it may wait for the call of an earlier attempt, let
 * the model write a summary, and then call it.
 */
export const stepLimitMs = (maxOutputTokens: number): number => 3 * callLimitMs(maxOutputTokens);
