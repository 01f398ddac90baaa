/**
 * How long Temporal may take to accept a start, an update or a cancellation before the caller gets a 503, in
 * milliseconds.
 */
export const callDeadlineMs = 5_000;

/** How long a reader waits for what Temporal reports; after that the row is shown as it stands. In milliseconds. */
export const describeDeadlineMs = 500;
