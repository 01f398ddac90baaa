import type { ApprovalRuleInput } from '../approval.ts';
import type { JsonValue } from '../json.ts';
import type { Scope } from '../references.ts';

export type ToolDescription = { name: string; description: string; inputSchema: Record<string, JsonValue> };

export type ToolContext = {
  scope: Scope;
  taskId: string;
  /** The same for every attempt at this call. */
  receiptKey: string;
  signal: AbortSignal;
  /**
   * A tool that changes something calls it right before the request that nothing can call back: an attempt that dies
   * before is simply made again, one that dies after has an unknown outcome.
   */
  leaving: () => Promise<void>;
};

/** What the model reads, and one line for people. */
export type ToolOutcome = { output: JsonValue; summary: string };

/** Something an agent may do. Errors with a code that is not retryable go back to the model. */
export interface Tool extends ToolDescription {
  /** It changes something in the world; its calls run under a receipt that knows when they left. */
  effect?: 'write';
  /** Calls of it that wait for a person whichever agent makes them, unless a rule of the agent speaks of them first. */
  approvals?: readonly Omit<ApprovalRuleInput, 'tool'>[];
  /** The receiver tells repeats apart by the receipt key: a call whose outcome is unknown is made again. */
  repeatable?: true;
  /** @throws AlfredError `invalid_request` when the input does not fit */
  check?(input: JsonValue): void;
  /** @throws AlfredError `effect_unknown` when the call left and no answer came; any other one says that nothing happened */
  run(input: JsonValue, context: ToolContext): Promise<ToolOutcome>;
  /** What became of a call that left: asked when no answer came. */
  reconcile?(
    input: JsonValue,
    context: ToolContext,
  ): Promise<({ state: 'done' } & ToolOutcome) | { state: 'not_done' } | { state: 'unknown' }>;
  /** Takes back what a call did. Runs under a receipt of its own. @returns one line for people */
  undo?(input: JsonValue, output: JsonValue, context: ToolContext): Promise<{ summary: string }>;
}
