import type { ActivityOptions, LocalActivityOptions } from '@temporalio/workflow';

// All retry policies and timeouts. The error code decides how often an activity is attempted (contract/errors.ts).
// `maximumAttempts` is an outer limit: it also ends attempts whose code has no limit, and those that end without an
// error of ours. Work that our own database or index may hold up has none, or its workflow waits and begins again.

/** Row writes: short and idempotent. Local activities, because a round trip to Temporal costs more than the write. */
export const rowWrite: LocalActivityOptions = {
  startToCloseTimeout: '10 s',
  // A longer wait becomes a timer in the history: a database outage must not keep workflow tasks alive for hours.
  localRetryThreshold: '3 s',
  retry: { initialInterval: '200 ms', maximumInterval: '30 s' },
};

/** Row writes of update handlers. Not local: the activity's event puts the update into the history before its row. */
export const rowWriteInHandler: ActivityOptions = {
  startToCloseTimeout: '10 s',
  retry: { initialInterval: '200 ms', maximumInterval: '30 s' },
};

/**
 * Model calls: long, paid for, rate-limited. The heartbeat timeout detects a dead worker. It also fires when Temporal
 * or the machine stands still; then the next attempt finds that the one before still runs, and waits for its answer. A
 * cancellation arrives with the next heartbeat, within a second.
 *
 * @param timeoutMs longer than the call's own limit, which its output limit sets (contract/rules/call-limit.ts)
 */
export const modelCall = (timeoutMs = 4 * 3_600_000): ActivityOptions => ({
  startToCloseTimeout: timeoutMs,
  heartbeatTimeout: '3 s',
  // No limit of attempts: a provider that limits our requests is called again until it answers. The ledger counts the
  // failures of each step by their code, and the table in contract/errors.ts limits them.
  retry: { initialInterval: '500 ms', backoffCoefficient: 2, maximumInterval: '1 min' },
});

/** Tools: may change the world; receipts make a retry safe. */
export const toolCall: ActivityOptions = {
  startToCloseTimeout: '5 min',
  heartbeatTimeout: '3 s',
  retry: { initialInterval: '500 ms', backoffCoefficient: 2, maximumInterval: '1 min', maximumAttempts: 100 },
};

/**
 * Tools that change the world: a cancellation waits until it is known what they did. Stated although the SDK documents
 * it as the default: without it the SDK sends TRY_CANCEL.
 */
export const effectCall: ActivityOptions = { ...toolCall, cancellationType: 'WAIT_CANCELLATION_COMPLETED' };

/**
 * A batch of files: parsing is CPU work on another thread. Each file has its own result, so a retry skips finished
 * ones.
 */
export const fileBatch: ActivityOptions = {
  startToCloseTimeout: '30 min',
  heartbeatTimeout: '3 s',
  // The final counts include the files that were settled before the cancellation arrived.
  cancellationType: 'WAIT_CANCELLATION_COMPLETED',
  // No limit of attempts: the database may be away for long, and each file has its own.
  retry: { initialInterval: '500 ms', maximumInterval: '1 min' },
};

/** Batches of contacts, a transaction each. A retry goes on behind those that are stored. */
export const contactBatch: ActivityOptions = {
  startToCloseTimeout: '2 min',
  heartbeatTimeout: '3 s',
  // The final counts include the batch that was stored when the cancellation arrived.
  cancellationType: 'WAIT_CANCELLATION_COMPLETED',
  retry: { initialInterval: '500 ms', maximumInterval: '1 min' },
};

/**
 * Batches of contacts for a CRM, which may limit requests for hours. Its own pause comes before this one. No limit of
 * attempts: a token that is wrong is replaced some day, and what is due stays due.
 */
export const crmBatch: ActivityOptions = {
  startToCloseTimeout: '5 min',
  heartbeatTimeout: '3 s',
  retry: { initialInterval: '1 s', maximumInterval: '10 min' },
};

/**
 * Vectors of a batch of texts: CPU work on another thread or on a server. A retry skips the vectors that are stored.
 */
export const embedding: ActivityOptions = {
  startToCloseTimeout: '30 min',
  heartbeatTimeout: '5 s',
  retry: { initialInterval: '1 s', maximumInterval: '1 min' },
};

/** Sends a message to a conversation or a request to a source. Idempotent; a refusal is final. */
export const submission: ActivityOptions = {
  startToCloseTimeout: '30 s',
  retry: { initialInterval: '500 ms', maximumInterval: '1 min' },
};

/** Housekeeping over many rows; the next round makes up for a failed one. */
export const housekeeping: ActivityOptions = {
  startToCloseTimeout: '15 min',
  heartbeatTimeout: '10 s',
  retry: { maximumAttempts: 3 },
};

/**
 * Watches a model that is down, some seconds per activity. After a worker dies, the next one continues from the rows.
 */
export const outageWatch: ActivityOptions = {
  startToCloseTimeout: '2 min',
  heartbeatTimeout: '5 s',
  retry: { initialInterval: '200 ms', maximumInterval: '10 s' },
};

/**
 * Stores the answer of a delegated task. Not a local activity: several children end side by side, and local activities
 * beside each other can complete in another order on replay.
 */
export const answerOfChild: ActivityOptions = {
  startToCloseTimeout: '30 s',
  retry: { initialInterval: '200 ms', maximumInterval: '30 s' },
};

/**
 * How a delegated task belongs to its parent: the cancellation of the parent reaches it and waits for its end. It is
 * also cancelled when the parent is terminated or has timed out.
 */
export const delegatedTask = {
  parentClosePolicy: 'REQUEST_CANCEL',
  cancellationType: 'WAIT_CANCELLATION_COMPLETED',
} as const;

/**
 * Asks a remote agent, once. Some agents answer only with their result. A cancellation waits until it is known whether
 * the agent began. No limit of attempts: the error's code limits them.
 */
export const remoteStart: ActivityOptions = {
  startToCloseTimeout: '30 min',
  heartbeatTimeout: '3 s',
  cancellationType: 'WAIT_CANCELLATION_COMPLETED',
  retry: { initialInterval: '500 ms', backoffCoefficient: 2, maximumInterval: '1 min' },
};

/** Follows the run of a remote agent, for hours. The activity ends before its time, and another one follows it. */
export const remoteFollow: ActivityOptions = { ...remoteStart, startToCloseTimeout: '8 h' };

/** Cancels the run of a remote agent. The end of the task does not wait for an agent that is away. */
export const remoteCancel: ActivityOptions = {
  startToCloseTimeout: '2 min',
  heartbeatTimeout: '3 s',
  retry: { initialInterval: '500 ms', maximumInterval: '10 s', maximumAttempts: 4 },
};

/** Waits for the end of a task that is not a child of the waiting run. Takes days when the task waits for a person. */
export const taskWait: ActivityOptions = {
  startToCloseTimeout: '1 day',
  heartbeatTimeout: '10 s',
  retry: { initialInterval: '1 s', maximumInterval: '1 min' },
};

/** Deletes many rows at once. Idempotent. */
export const erasure: ActivityOptions = {
  startToCloseTimeout: '10 min',
  retry: { initialInterval: '1 s', maximumInterval: '5 min' },
};

/**
 * Callbacks: each attempt is one short request. The row says when the receiver has failed for a day; an outage of our
 * own database does not count.
 */
export const delivery: ActivityOptions = {
  startToCloseTimeout: '30 s',
  retry: { initialInterval: '1 s', backoffCoefficient: 2, maximumInterval: '1 h' },
};
