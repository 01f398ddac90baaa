import { readableKinds } from './readable-files.ts';
import type { WaitReason } from './references.ts';

/** Attempts at an activity that fails this way, the first included. */
const never = 1;
const few = 5;
const some = 8;
/** Until the activity's own limit: nothing is wrong with the task, something it needs is away. */
const always = Infinity;

/**
 * Every error code a person or program can meet, with its HTTP status, how often an activity is attempted, and the
 * sentence shown when nobody wrote a better one.
 */
const table = {
  // the request
  invalid_request: [422, never, 'The request does not fit the schema.'],
  malformed_request: [400, never, 'The request could not be read.'],
  unsupported_media_type: [415, never, 'Send application/json or multipart/form-data.'],
  body_too_large: [413, never, 'The body is larger than the limit.'],
  not_found: [404, never, 'There is nothing here with that id.'],
  method_not_allowed: [405, never, 'This address does not take that method.'],
  not_acceptable: [406, never, 'No representation of that type exists.'],
  forbidden_host: [403, never, 'Without sign-in, Alfred answers only requests addressed to this machine.'],
  unknown_agent: [422, never, 'There is no agent with that name.'],
  idempotency_key_reused: [422, never, 'That Idempotency-Key was used with another request.'],
  // the system
  temporal_unavailable: [503, always, 'Temporal does not answer. Nothing was lost; repeat the request.'],
  database_unavailable: [503, always, 'The database does not answer. Nothing was lost; repeat the request.'],
  index_unavailable: [503, always, 'The search index does not answer. Nothing was lost; repeat the request.'],
  draining: [503, always, 'This process is shutting down. Repeat the request.'],
  internal: [500, few, 'Something broke on our side; the log has the details.'],
  // a task
  step_limit: [500, never, 'The agent found no answer within its number of steps.'],
  budget_exceeded: [500, never, 'The task reached its budget.'],
  deadline_exceeded: [500, never, 'The task took longer than it was allowed to.'],
  budget_refused: [409, never, 'The budget stays as it is.'],
  task_ended: [409, never, 'The task has ended.'],
  task_running: [409, never, 'The task has not ended yet.'],
  // a conversation
  conversation_busy: [409, never, 'A task of this conversation is running, and the message was to be rejected then.'],
  conversation_archived: [409, never, 'The conversation is archived.'],
  conversation_full: [409, never, 'Too many messages wait for their turn in this conversation.'],
  message_id_reused: [422, never, 'That message id was used for another message of this conversation.'],
  // a schedule
  schedule_missing: [409, never, 'Somebody deleted the schedule in Temporal; resume it to make it again.'],
  // an approval
  approval_decided: [409, never, 'Somebody has decided already.'],
  approval_forbidden: [403, never, 'This is not yours to decide.'],
  approval_changed: [409, never, 'Something else is asked for than what you saw.'],
  approval_missing: [403, never, 'This call needs an approval of exactly these arguments.'],
  // the outside world
  destination_forbidden: [422, never, 'This address is not one that Alfred may call.'],
  destination_refused: [500, never, 'The other side refused what was sent.'],
  effect_unknown: [500, few, 'The call left and no answer came; it is not known whether it took effect.'],
  callback_missing: [404, never, 'The task has no callback.'],
  callback_undelivered: [500, always, 'The receiver of the callback did not take it.'],
  model_unavailable: [500, some, 'The model did not answer after several attempts.'],
  model_rate_limited: [500, always, 'The model provider is limiting our requests.'],
  // the task waits for it, so no attempt at the activity is spent
  model_outage: [503, never, 'The model provider is down. The task goes on when it is back.'],
  model_auth: [500, never, 'The model provider refused our key.'],
  model_rejected: [500, never, 'The model provider refused the request.'],
  model_refused: [500, never, 'The model declined to answer.'],
  model_context_overflow: [500, never, 'The conversation no longer fits the model.'],
  model_output_limit: [500, never, 'The answer was cut off at the output limit.'],
  model_unconfigured: [500, never, 'No such model is configured.'],
  model_tool_as_text: [500, never, 'The model wrote its tool calls as text, also after it was told.'],
  model_unknown_tool: [500, never, 'The model kept calling a tool that does not exist.'],
  model_invalid_arguments: [500, never, 'The model kept calling a tool with wrong arguments.'],
  model_output_invalid: [500, never, 'The answer does not fit the agent’s output schema, also after it was told.'],
  model_loop: [500, never, 'The model kept making the same call with the same result.'],
  tool_failed: [500, few, 'A tool failed after several attempts.'],
  terminated: [500, never, 'Somebody terminated the workflow in Temporal.'],
  timed_out: [500, never, 'The workflow ran into its time limit.'],
  never_started: [500, never, 'The task was never started; it did nothing and cost nothing.'],
  workflow_lost: [500, never, 'Temporal no longer knows the workflow.'],
  superseded: [500, never, 'A newer attempt took over.'],
  // a document
  file_empty: [422, never, 'The file holds no text.'],
  file_type_unsupported: [422, never, `Files of this kind are not read; ${readableKinds} are.`],
  file_unreadable: [422, never, 'The file could not be parsed.'],
  file_too_large: [422, never, 'The file holds more than is read from one file.'],
  file_encrypted: [422, never, 'The file is password-protected.'],
  file_name_taken: [409, never, 'A document of that name is there already, and it is not yours to read.'],
  ingestion_running: [409, never, 'The upload is still being read.'],
  ingestion_without_failures: [409, never, 'No file of the upload is left to be read again.'],
  file_bytes_gone: [410, never, 'The files are no longer kept; add them again.'],
  file_too_slow: [422, never, 'Reading the file took too long.'],
  // a source
  source_exists: [409, never, 'There is a source with that address already.'],
  source_unreachable: [500, few, 'The source did not answer as it should.'],
  source_refused: [500, never, 'The source does not let Alfred read this.'],
  source_unreadable: [500, never, 'What the source answered is not what it was expected to be.'],
  source_unconfigured: [422, never, 'Alfred has no credentials for this kind of source.'],
} as const satisfies Record<string, readonly [number, number, string]>;

export type ErrorCode = keyof typeof table;

export const isErrorCode = (code: unknown): code is ErrorCode => typeof code === 'string' && Object.hasOwn(table, code);
export const httpStatusOf = (code: ErrorCode): number => table[code][0];
export const maxAttemptsOf = (code: ErrorCode): number => table[code][1];
/** A sentence a person understands. */
export const sentenceOf = (code: ErrorCode): string => table[code][2];
export const errorCodes = Object.keys(table) as [ErrorCode, ...ErrorCode[]];

/** A typed error inside a room; the activity edge and the HTTP edge translate it by its code. */
export class AlfredError extends Error {
  override readonly name = 'AlfredError';
  readonly code: ErrorCode;
  /** How long to wait before the next attempt, in milliseconds, when the other side said so. */
  readonly retryAfterMs: number | undefined;
  /** How many attempts have failed this way, this one included, when somebody counted; else the activity's attempt. */
  readonly failures: number | undefined;
  /** What a workflow decides by: ids and numbers, no content. */
  readonly details: WaitReason | undefined;
  /** The task that is in the way. */
  readonly taskId: string | undefined;

  constructor(
    code: ErrorCode,
    message: string = sentenceOf(code),
    options: {
      retryAfterMs?: number | undefined;
      failures?: number | undefined;
      details?: WaitReason | undefined;
      taskId?: string | undefined;
      cause?: unknown;
    } = {},
  ) {
    super(message, { cause: options.cause });
    this.code = code;
    this.retryAfterMs = options.retryAfterMs;
    this.failures = options.failures;
    this.details = options.details;
    this.taskId = options.taskId;
  }
}
