import { readableKinds } from './readable-files.ts';
import type { WaitReason } from './references.ts';

// How often an activity that fails with this code is attempted, including the first attempt.
const once = 1;
const thrice = 3;
const few = 5;
const several = 8;
/**
 * Retried up to the policy's `maximumAttempts`, if it has one (workflows/policies.ts): the task is fine, but something
 * that it needs does not answer.
 */
const unlimited = Infinity;

/** Every error code that a caller can see: HTTP status, attempts at an activity that fails so, and default message. */
const table = {
  // the request
  invalid_request: [422, once, 'The request does not fit the schema.'],
  malformed_request: [400, once, 'The request could not be read.'],
  unsupported_media_type: [415, once, 'The body has a media type that is not taken here.'],
  body_too_large: [413, once, 'The body is larger than the limit.'],
  not_found: [404, once, 'There is nothing at this address.'],
  method_not_allowed: [405, once, 'This address does not take that method.'],
  not_acceptable: [406, once, 'No representation of that type exists.'],
  forbidden_host: [
    403,
    once,
    'Alfred answers only requests addressed to this machine, or to a host of ALFRED_API_HOSTS.',
  ],
  unauthenticated: [401, once, 'Sign in: this request does not say whose it is.'],
  token_missing: [401, once, 'Sign in: this request has neither an access token nor an API key.'],
  token_invalid: [401, once, 'The access token does not count here.'],
  token_expired: [401, once, 'The access token has expired. Sign in again.'],
  token_not_yet_valid: [401, once, 'The access token does not count yet. Compare the clocks.'],
  token_audience: [401, once, 'The access token was issued for another service.'],
  token_issuer: [401, once, 'The access token comes from an issuer that is not trusted here.'],
  token_type: [401, once, 'This is a token, but not an access token.'],
  session_ended: [401, once, 'The session has ended. Sign in again.'],
  sign_in_failed: [401, once, 'The sign-in at the identity provider did not succeed. Begin again.'],
  key_invalid: [401, once, 'There is no such API key.'],
  key_expired: [401, once, 'The API key has expired.'],
  key_revoked: [401, once, 'The API key was revoked, or replaced by another.'],
  insufficient_scope: [403, once, 'The token or API key is limited to other things.'],
  role_missing: [403, once, 'Your roles do not allow this.'],
  keys_forbidden: [403, once, 'You may not manage API keys with this.'],
  tenant_unknown: [403, once, 'Your tenant is not set up here.'],
  tenant_suspended: [403, once, 'Your tenant is suspended, and nothing starts.'],
  tenant_limit: [409, once, 'Your tenant has as many tasks as it may have.'],
  tenant_full: [409, once, 'Your tenant has as many documents as it may have.'],
  rate_limited: [429, once, 'Too many requests. Repeat this one after `Retry-After` seconds.'],
  sign_ins_paused: [
    429,
    once,
    'The credential does not count here, like many before it from this address. What is right is taken at any time: look at it before you repeat the request.',
  ],
  too_many_streams: [429, once, 'Too many event streams are open. Close one, or repeat the request later.'],
  too_many_uploads: [429, once, 'Too many uploads are under way. Send them one after the other.'],
  unknown_agent: [422, once, 'There is no agent with that name.'],
  idempotency_key_reused: [422, once, 'That Idempotency-Key was used with another request.'],
  // the system
  temporal_unavailable: [503, unlimited, 'Temporal does not answer. Nothing was lost; repeat the request.'],
  database_unavailable: [503, unlimited, 'The database does not answer. Nothing was lost; repeat the request.'],
  index_unavailable: [503, unlimited, 'The search index does not answer. Nothing was lost; repeat the request.'],
  identity_unavailable: [503, unlimited, 'The identity provider does not answer. Repeat the request.'],
  wrong_namespace: [503, once, 'This process sees another Temporal namespace than the one of this database.'],
  draining: [503, unlimited, 'This process is shutting down. Repeat the request.'],
  internal: [500, few, 'Something broke on our side; the log has the details.'],
  // a task
  step_limit: [500, once, 'The agent found no answer within its number of steps.'],
  budget_exceeded: [500, once, 'The task reached its budget.'],
  deadline_exceeded: [500, once, 'The task took longer than it was allowed to.'],
  budget_refused: [409, once, 'The budget stays as it is.'],
  task_ended: [409, once, 'The task has ended.'],
  task_queued: [409, once, 'The task waits for its turn in its conversation.'],
  task_running: [409, once, 'The task has not ended yet.'],
  task_in_conversation: [409, once, 'The task belongs to a conversation. Delete the conversation.'],
  nothing_to_undo: [409, once, 'The task has changed nothing that could be undone.'],
  // a conversation
  conversation_busy: [409, once, 'A task of this conversation is running, and the message was to be rejected then.'],
  conversation_archived: [409, once, 'The conversation is archived.'],
  conversation_full: [409, once, 'Too many messages wait for their turn in this conversation.'],
  message_id_reused: [422, once, 'That message id was used for another message of this conversation.'],
  // a schedule
  schedule_missing: [409, once, 'The schedule was deleted in Temporal; resume it to make it again.'],
  // a memory
  memory_full: [409, once, 'As many memories are there as one may have.'],
  // settings of an agent
  settings_changed: [409, once, 'Another version of the settings is there meanwhile.'],
  // an API key
  key_ended: [409, once, 'The API key was revoked or has expired. Make another one.'],
  // an approval
  approval_decided: [409, once, 'A person has decided already.'],
  approval_forbidden: [403, once, 'This is not yours to decide.'],
  approval_changed: [409, once, 'Something else is asked for than what you saw.'],
  approval_missing: [403, once, 'This call needs an approval of exactly these arguments.'],
  // the outside world
  destination_forbidden: [422, once, 'This address is not one that Alfred may call.'],
  destination_refused: [500, once, 'The other side refused what was sent.'],
  effect_unknown: [500, few, 'The call left and no answer came; it is not known whether it took effect.'],
  callback_missing: [404, once, 'There is no callback to tell.'],
  callback_undelivered: [500, unlimited, 'The receiver of the callback did not take it.'],
  model_unavailable: [500, several, 'The model did not answer after several attempts.'],
  model_rate_limited: [500, unlimited, 'The model provider is limiting our requests.'],
  // Not retried by the activity: the task itself waits until the model is back.
  model_outage: [503, once, 'The model provider is down. The task goes on when it is back.'],
  model_auth: [500, once, 'The model provider refused our key, our account or the model.'],
  // Of the request or of our account: the provider does not say which. See `recordDenial` of the gate.
  model_denied: [500, few, 'The model provider denied the request, for its content or for our account.'],
  model_rejected: [500, once, 'The model provider refused the request.'],
  model_refused: [500, once, 'The model declined to answer.'],
  model_context_overflow: [500, once, 'The conversation no longer fits the model.'],
  model_output_limit: [500, once, 'The answer was cut off at the output limit.'],
  model_unconfigured: [500, once, 'No such model is configured.'],
  model_tool_as_text: [500, once, 'The model wrote its tool calls as text, also after a correction.'],
  model_unknown_tool: [500, once, 'The model kept calling a tool that does not exist.'],
  model_invalid_arguments: [500, once, 'The model kept calling a tool with wrong arguments.'],
  model_output_invalid: [500, once, 'The answer does not fit the agent’s output schema, also after a correction.'],
  model_loop: [500, once, 'The model kept making the same call with the same result.'],
  // an agent that works elsewhere
  remote_unavailable: [500, several, 'The remote agent did not answer after several attempts.'],
  remote_refused: [500, once, 'The remote agent refused the request.'],
  remote_failed: [500, once, 'The remote agent ended without an answer.'],
  tool_failed: [500, few, 'A tool failed after several attempts.'],
  terminated: [500, once, 'The workflow was terminated in Temporal.'],
  timed_out: [500, thrice, 'The workflow, or a model call, ran into its time limit.'],
  cancelled: [500, once, 'The model call was stopped, because its task was cancelled or reached its time limit.'],
  never_started: [500, once, 'The task was never started; it did nothing and cost nothing.'],
  workflow_lost: [500, once, 'Temporal no longer knows the workflow.'],
  superseded: [500, once, 'A newer attempt took over.'],
  // a document
  file_empty: [422, once, 'The file holds no text.'],
  file_type_unsupported: [422, once, `Files of this kind are not read; ${readableKinds} are.`],
  file_unreadable: [422, once, 'The file could not be parsed.'],
  file_too_large: [422, once, 'The file holds more than is read from one file.'],
  file_encrypted: [422, once, 'The file is password-protected.'],
  file_name_taken: [409, once, 'A document of that name is there already, and it came from somewhere else.'],
  document_not_yours: [409, once, 'A document of that name is there already, and another person added it.'],
  ingestion_running: [409, once, 'The upload is still being read.'],
  ingestion_without_failures: [409, once, 'No file of the upload is left to be read again.'],
  file_bytes_gone: [410, once, 'The files are no longer kept; add them again.'],
  document_version_gone: [410, once, 'Only the newest version of a document is kept.'],
  file_too_slow: [422, once, 'Reading the file took too long.'],
  // contacts
  contact_ingest_running: [409, once, 'The upload of contacts has not ended. Cancel it first.'],
  contact_absorbed: [409, once, 'The contact has become part of another. Undo that merge first.'],
  crm_unavailable: [500, unlimited, 'The CRM did not take the contacts. They are sent again.'],
  // a source
  source_exists: [409, once, 'There is a source with that address already.'],
  source_unreachable: [500, few, 'The source did not answer as it should.'],
  source_refused: [500, once, 'The source does not let Alfred read this.'],
  source_unreadable: [500, once, 'What the source answered is not what it was expected to be.'],
  source_unconfigured: [422, once, 'Alfred has no credentials for this kind of source.'],
} as const satisfies Record<string, readonly [number, number, string]>;

export type ErrorCode = keyof typeof table;

export const isErrorCode = (code: unknown): code is ErrorCode => typeof code === 'string' && Object.hasOwn(table, code);
export const httpStatusOf = (code: ErrorCode): number => table[code][0];
export const maxAttemptsOf = (code: ErrorCode): number => table[code][1];
/** The message for people when the error carries no more specific one. */
export const defaultMessageOf = (code: ErrorCode): string => table[code][2];
/**
 * Codes after which the same request, or the same question, may succeed later although the caller changes nothing. A
 * code of status 503 counts without being listed.
 */
const passing: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'internal',
  'tenant_limit',
  'rate_limited',
  'too_many_streams',
  'too_many_uploads',
  'task_queued',
  'task_running',
  'conversation_busy',
  'conversation_full',
  'ingestion_running',
  'model_unavailable',
  'model_rate_limited',
  'remote_unavailable',
  'tool_failed',
  'terminated',
  'timed_out',
  'never_started',
  'workflow_lost',
  'superseded',
  'callback_undelivered',
  'source_unreachable',
]);

/** Whether it is worth asking again later, without a change. */
export const isWorthRepeating = (code: ErrorCode): boolean =>
  passing.has(code) || (httpStatusOf(code) === 503 && code !== 'wrong_namespace');
export const errorCodes = Object.keys(table) as [ErrorCode, ...ErrorCode[]];

/**
 * An error with a stable code. An interceptor turns it into an `ApplicationFailure` at the activity boundary, and the
 * API turns it into a problem document. Match it by `code`: `instanceof` fails across the workflow sandbox.
 */
export class AlfredError extends Error {
  override readonly name = 'AlfredError';
  readonly code: ErrorCode;
  /** Milliseconds to wait before the next attempt, when the other side sent a value. */
  readonly retryAfterMs: number | undefined;
  /**
   * Attempts that have failed this way, including this one, as the ledger counted them for a model call. When absent,
   * the activity's attempt number counts.
   */
  readonly failures: number | undefined;
  /** What the workflow needs to decide how to wait: ids and numbers, no content. */
  readonly details: WaitReason | undefined;
  /**
   * The whole message, with words of others and the content it is about. It goes into rows and to the model; the
   * history and the log get `message` only.
   */
  readonly fullMessage: string;
  /** The running task that blocks the request. */
  readonly taskId: string | undefined;

  constructor(
    code: ErrorCode,
    message: string = defaultMessageOf(code),
    options: {
      retryAfterMs?: number | undefined;
      failures?: number | undefined;
      details?: WaitReason | undefined;
      fullMessage?: string | undefined;
      taskId?: string | undefined;
      cause?: unknown;
    } = {},
  ) {
    super(message, { cause: options.cause });
    this.code = code;
    this.retryAfterMs = options.retryAfterMs;
    this.failures = options.failures;
    this.details = options.details;
    this.fullMessage = options.fullMessage ?? message;
    this.taskId = options.taskId;
  }
}

/** One fault of a request. `path` names the field, with dots; an empty path stands for the request itself. */
export type Issue = { path: string; message: string };

/** A request that does not fit its schema, with a list of its faults. The API answers 422. */
export class InvalidRequest extends AlfredError {
  readonly issues: Issue[];
  constructor(issues: Issue[]) {
    const shown = issues.slice(0, 3).map(({ path, message }) => (path ? `${path}: ${message}` : message));
    const more = issues.length > 3 ? ` (and ${issues.length - 3} more)` : '';
    super('invalid_request', `${shown.join('; ')}${more}`);
    this.issues = issues;
  }
}
