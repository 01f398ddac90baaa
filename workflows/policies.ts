import type { ActivityOptions, LocalActivityOptions } from '@temporalio/workflow';

// Every retry policy and timeout of the house. How often an activity is attempted is decided by what went wrong
// (contract/errors.ts); the numbers here bound it from outside, for attempts that end without a word.

/** Rows: short, idempotent, on our own database. Local, because a round trip to the server costs more than the work. */
export const row: LocalActivityOptions = {
  startToCloseTimeout: '10 s',
  // A longer wait is a timer in history: an outage must not keep workflow tasks alive for hours.
  localRetryThreshold: '3 s',
  retry: { initialInterval: '200 ms', maximumInterval: '30 s' },
};

/** Rows written on the word of an update: by an activity with an event, so that the update is in the history before its row. */
export const rowOnRequest: ActivityOptions = {
  startToCloseTimeout: '10 s',
  retry: { initialInterval: '200 ms', maximumInterval: '30 s' },
};

/** Model calls: long, paid for, rate-limited. A dead worker is noticed after the heartbeat timeout, a cancellation after a second. */
export const modelCall: ActivityOptions = {
  startToCloseTimeout: '15 min',
  heartbeatTimeout: '3 s',
  // A provider that limits our requests is asked again until it answers; what may not be repeated so often is counted
  // in the ledger.
  retry: { initialInterval: '500 ms', backoffCoefficient: 2, maximumInterval: '1 min' },
};

/** Tools: may touch the world; receipts make a retry safe. */
export const toolCall: ActivityOptions = {
  startToCloseTimeout: '5 min',
  heartbeatTimeout: '3 s',
  retry: { initialInterval: '500 ms', backoffCoefficient: 2, maximumInterval: '1 min', maximumAttempts: 100 },
};

/** Tools that change the world: a cancellation waits until it is known what they did. */
export const effectCall: ActivityOptions = { ...toolCall, cancellationType: 'WAIT_CANCELLATION_COMPLETED' };

/** A batch of files: parsing is CPU work on another thread; each file is settled by itself, so a retry goes on where it stopped. */
export const fileBatch: ActivityOptions = {
  startToCloseTimeout: '30 min',
  heartbeatTimeout: '3 s',
  // What was settled before a cancellation arrived is counted in the end.
  cancellationType: 'WAIT_CANCELLATION_COMPLETED',
  retry: { initialInterval: '500 ms', maximumInterval: '1 min', maximumAttempts: 100 },
};

/** Vectors of a batch of texts: CPU work on another thread, or a server's. What was stored is not done again. */
export const embedding: ActivityOptions = {
  startToCloseTimeout: '30 min',
  heartbeatTimeout: '5 s',
  retry: { initialInterval: '1 s', maximumInterval: '1 min', maximumAttempts: 100 },
};

/** A message to a conversation: its id makes a repeat safe, and a refusal is final. */
export const submission: ActivityOptions = {
  startToCloseTimeout: '30 s',
  retry: { initialInterval: '500 ms', maximumInterval: '1 min' },
};

/** Housekeeping over many rows; the next run makes up for a failed one. */
export const housekeeping: ActivityOptions = {
  startToCloseTimeout: '5 min',
  heartbeatTimeout: '30 s',
  retry: { maximumAttempts: 3 },
};

/** Watches a model that is down, in shifts of seconds; a dead worker is noticed soon, and the next one goes on from the rows. */
export const watching: ActivityOptions = {
  startToCloseTimeout: '2 min',
  heartbeatTimeout: '5 s',
  retry: { initialInterval: '200 ms', maximumInterval: '10 s' },
};

/** Waits for the end of a task that is nobody's child any more; days, when it waits for a person. */
export const patience: ActivityOptions = {
  startToCloseTimeout: '1 day',
  heartbeatTimeout: '10 s',
  retry: { initialInterval: '1 s', maximumInterval: '1 min' },
};

/** Removes much from our database at once, safe to repeat. */
export const erasure: ActivityOptions = {
  startToCloseTimeout: '10 min',
  retry: { initialInterval: '1 s', maximumInterval: '5 min' },
};

/** Callbacks: one short request an attempt, for a day. Whatever is wrong with a receiver, somebody mends it within hours. */
export const delivery: ActivityOptions = {
  startToCloseTimeout: '30 s',
  scheduleToCloseTimeout: '24 h',
  retry: { initialInterval: '1 s', backoffCoefficient: 2, maximumInterval: '1 h' },
};
