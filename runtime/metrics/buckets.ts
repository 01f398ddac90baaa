/** Bucket limits for tool calls and searches, in seconds: most take milliseconds, some minutes. */
export const shortDurations = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 15, 60, 300];
