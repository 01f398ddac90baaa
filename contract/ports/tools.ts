import type { ApprovalRuleInput } from '../approval.ts';
import type { JsonValue } from '../json.ts';
import type { Scope } from '../references.ts';

/** What the model knows of a tool. `inputSchema`: JSON Schema of its arguments. */
export type ToolDescription = { name: string; description: string; inputSchema: Record<string, JsonValue> };

/** What a tool gets beside its input. */
export type ToolContext = {
  scope: Scope;
  taskId: string;
  /** Identifies this call. The same in every attempt. */
  receiptKey: string;
  signal: AbortSignal;
  /**
   * A tool with `effect: 'write'` must call it right before its irrevocable request. It records that the request is
   * sent: an attempt that dies before this point is repeated, one that dies after it has an unknown outcome.
   *
   * @throws AlfredError `superseded` when the task has ended, `effect_unknown` when another attempt has sent the
   *   request
   */
  beforeSend: () => Promise<void>;
};

/** `output`: what the model reads. `summary`: one line for people. */
export type ToolOutcome = { output: JsonValue; summary: string };

/** How a tool call whose outcome was unknown turned out. */
export type ReconcileOutcome = ({ state: 'done' } & ToolOutcome) | { state: 'not_done' } | { state: 'unknown' };

/** Something an agent may do. Errors whose code is not retryable are reported to the model. */
export interface Tool extends ToolDescription {
  /** The tool changes something outside Alfred. Each of its calls has a receipt, which records when it was sent. */
  effect?: 'write';
  /** Default approval rules, for every agent. An agent's own rules are evaluated first. */
  approvals?: readonly Omit<ApprovalRuleInput, 'tool'>[];
  /** The receiver detects repeats by the receipt key, so a call with an unknown outcome is simply repeated. */
  repeatable?: true;
  /** Validates the input before a person is asked to approve the call. @throws AlfredError `invalid_request` */
  check?(input: JsonValue): void;
  /**
   * @throws AlfredError `effect_unknown` when the request was sent and no response came; any other code means that
   *   nothing happened
   */
  run(input: JsonValue, context: ToolContext): Promise<ToolOutcome>;
  /** Asks the receiver what became of a call that was sent and got no response. */
  reconcile?(input: JsonValue, context: ToolContext): Promise<ReconcileOutcome>;
  /** Reverses a call. It has its own receipt key. @returns one line for people */
  undo?(input: JsonValue, output: JsonValue, context: ToolContext): Promise<{ summary: string }>;
}
