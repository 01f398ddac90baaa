/** The time that calls and posts follow. Tests set it. */
export type Clock = {
  /** Milliseconds since 1970. */
  now(): number;
  /** Runs once after this time. @returns cancels it */
  after(ms: number, run: () => void): () => void;
};

export const systemClock: Clock = {
  now: Date.now,
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};
