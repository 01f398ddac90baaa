import type { NewArtifact } from '../artifacts.ts';
import type { ApprovalRuleInput } from '../approval.ts';
import type { NewTaskEvent } from '../events.ts';
import type { JsonValue } from '../json.ts';
import type { Scope } from '../references.ts';

/** What the model knows of a tool. `inputSchema`: JSON Schema of the arguments. */
export type ToolDescription = { name: string; description: string; inputSchema: Record<string, JsonValue> };

/** What a tool gets beside its input. */
export type ToolContext = {
  scope: Scope;
  taskId: string;
  /** Identifies this call. The key is the same in every attempt. */
  receiptKey: string;
  signal: AbortSignal;
  /**
   * Records that the request is sent. A tool with `effect: 'write'` must call this function right before the request
   * that cannot be taken back. An attempt that dies before this call is repeated. An attempt that dies after this call
   * has an unknown outcome.
   *
   * @throws AlfredError `superseded` when the task has ended, `effect_unknown` when another attempt has sent the
   *   request
   */
  beforeSend: () => Promise<void>;
};

/**
 * The result of a tool call. `output`: what the model reads; with `quiet: true` it says that there is nothing to
 * report, and a schedule whose answer comes from such results alone posts nothing. `summary`: one line for people.
 * `event`: appended to the task together with the result, once. `artifacts`: files for people, stored with the result;
 * `output` names them. `isError`: the call ended, and did not do what was asked, as `output` says.
 */
export type ToolOutcome = {
  output: JsonValue;
  summary: string;
  event?: NewTaskEvent;
  artifacts?: readonly NewArtifact[];
  isError?: true;
};

/** How a tool call whose outcome was unknown turned out. */
export type ReconcileOutcome = ({ state: 'done' } & ToolOutcome) | { state: 'not_done' } | { state: 'unknown' };

/** An action that an agent may take. Errors whose code is not retryable are reported to the model. */
export interface Tool extends ToolDescription {
  /** Present when the tool changes something outside Alfred. Each call has a receipt, which says when it was sent. */
  effect?: 'write';

  /** Default approval rules, for every agent. An agent's own rules are evaluated first. */
  approvals?: readonly Omit<ApprovalRuleInput, 'tool'>[];

  /**
   * Present when a call changes nothing but what its own person keeps in Alfred. It runs without a rule, and a rule for
   * every tool (`*`) leaves it out; one by its name counts.
   */
  needsNoRule?: true;

  /** Present when the receiver detects repeats by the receipt key. A call with an unknown outcome is then repeated. */
  repeatable?: true;

  /**
   * How long a call may take that changes nothing, in milliseconds; default two minutes, at most four. A longer call
   * has failed.
   */
  timeoutMs?: number;

  /**
   * Present when the model reads of a last failed attempt also of a call that changes nothing: what does not answer
   * belongs to others. Absent: the task fails.
   */
  failureIsResult?: true;

  /** Present when the tool searches: it cannot run in a process whose search index cannot be written. */
  needsIndex?: true;

  /** Absent: always. A tool that is not offered stands in no request to a model, and its `run` refuses. */
  isOffered?(): boolean;

  /**
   * Present when the output has `answer`, a text for people in Markdown, and may have `data`. It is the result of a
   * task that was asked by a typed request for this call; no model is asked then. Why the tool refuses such a call is
   * the result too. Numbers in brackets are citations where the output has `citedAs` and `passages`.
   */
  answers?: true;

  /** Present when a call runs another agent: the workflow starts it as a child, and `run` is not called. */
  delegates?: true;

  /** Validates the input before a person is asked to approve the call. @throws AlfredError `invalid_request` */
  check?(input: JsonValue): void;

  /**
   * Runs the tool.
   *
   * @throws AlfredError `effect_unknown` when the request was sent and no response came; any other code means that
   *   nothing happened
   */
  run(input: JsonValue, context: ToolContext): Promise<ToolOutcome>;

  /** Asks the receiver about the outcome of a call that was sent and got no response. */
  reconcile?(input: JsonValue, context: ToolContext): Promise<ReconcileOutcome>;

  /** Undoes a call. The undo has its own receipt key. @returns one line for people */
  undo?(input: JsonValue, output: JsonValue, context: ToolContext): Promise<{ summary: string }>;
}
