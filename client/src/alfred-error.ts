import type { Problem, Task } from './schemas.ts';

/**
 * Codes that the client adds to those of the API:
 *
 * - `unreachable`: no connection was made, or it broke
 * - `no_answer`: the server did not answer in time
 * - `not_alfred`: something answered, but not as Alfred does
 * - `events_missing`: a stream leaves out events, also after it was opened again
 * - `task_incomplete`, `task_cancelled`: how the task ended that `ask` waited for
 * - `webhook_invalid`: a webhook is not signed with the secret, was changed or is too old
 */
export type ClientErrorCode =
  | 'unreachable'
  | 'no_answer'
  | 'not_alfred'
  | 'events_missing'
  | 'task_incomplete'
  | 'task_cancelled'
  | 'webhook_invalid';

export type AlfredErrorCode = Problem['code'] | ClientErrorCode;

type Details = {
  status?: number | undefined;
  requestId?: string | undefined;
  retryable?: boolean;
  retryAfterMs?: number | undefined;
  issues?: Problem['issues'];
  taskId?: string | undefined;
  task?: Task;
  cause?: unknown;
};

/** Every error of the client, but for aborts: those throw the reason of their signal. */
export class AlfredError extends Error {
  override readonly name = 'AlfredError';
  /** Stable; decide by it. */
  readonly code: AlfredErrorCode;
  /** HTTP status; undefined when there was no answer. For `webhook_invalid` 401: what to answer. */
  readonly status: number | undefined;
  /** Finds the lines in the server's log. */
  readonly requestId: string | undefined;
  /** Whether the same request can succeed later. The client has repeated it already where that was safe. */
  readonly retryable: boolean;
  /** What `Retry-After` asked for, in milliseconds. */
  readonly retryAfterMs: number | undefined;
  /** What is wrong where in the request, for `invalid_request`. */
  readonly issues: NonNullable<Problem['issues']>;
  /** The task in the way, for `conversation_busy`; the task itself for an end that `ask` reports. */
  readonly taskId: string | undefined;
  /** The ended task, from `ask`. */
  readonly task: Task | undefined;

  constructor(code: AlfredErrorCode, message: string, details: Details = {}) {
    super(message, { cause: details.cause });
    this.code = code;
    this.status = details.status;
    this.requestId = details.requestId;
    this.retryable = details.retryable ?? false;
    this.retryAfterMs = details.retryAfterMs;
    this.issues = details.issues ?? [];
    this.taskId = details.taskId ?? details.task?.id;
    this.task = details.task;
  }
}
