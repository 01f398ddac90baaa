import type { ErrorCode } from '../errors.ts';
import type { JsonValue } from '../json.ts';
import type { AssistantPart } from '../messages.ts';
import type {
  CorrectionReason,
  MessageHead,
  Scope,
  TaskRef,
  ToolCallRef,
  ToolMisuse,
  ToolResultRef,
  StepResult,
  Usage,
} from '../references.ts';
import type { TaskResult } from '../task.ts';
import type { UsageReport, UsageSpan } from '../usage.ts';
import type { ToolReceipt } from './effects.ts';
import type { Run } from './identity.ts';

/** The ledger of model calls, each paid once, and the receipts of tool calls. */
export interface Ledger {
  /**
   * Charges the worst case of a call to its budgets, marks this attempt as the one that may stream,
   * and appends an event; unless the step is paid. Earlier attempts that are still open become lost.
   *
   * @returns the stored response when an earlier attempt has completed the step
   * @throws AlfredError `superseded` when this run has ended the task; `budget_exceeded` (with `details`) when
   *   the worst case does not fit, then nothing is charged; `model_unavailable` when too many attempts were lost
   */
  beginModelCall(task: TaskRef, call: OpenModelCall): Promise<PaidCall | undefined>;
  /**
   * Stores the response, the ledger row and the events in one transaction, unless
   * another attempt has completed the step. The charge becomes the actual usage.
   *
   * @returns the response that counts: this one, or the first one
   */
  settleModelCall(task: TaskRef, call: CompletedModelCall): Promise<PaidCall>;
  /**
   * Records a failed attempt. @returns how many attempts at this step have failed with this code, including this one
   */
  failModelCall(task: TaskRef, call: FailedModelCall): Promise<number>;
  /** Marks attempts as lost that are still open long after their task has ended. @returns how many */
  writeOffLost(): Promise<number>;
  /** The stored response of a step, if an attempt has completed it. */
  findPaidCall(task: TaskRef, step: number, purpose: Purpose): Promise<PaidCall | undefined>;
  /** The usage of the scope's tenant, in sums. */
  reportUsage(scope: Scope, span: UsageSpan): Promise<UsageReport>;
  /**
   * Stores the intent of a tool call, for an effect also its input, and appends an event.
   *
   * @returns the stored result of an earlier attempt; or `sent`: whether one has sent its request and got no result
   * @throws AlfredError `superseded` when the task has ended
   */
  beginToolCall(task: TaskRef, call: Run & ToolCallRef & { step: number; arguments: JsonValue }): Promise<ToolReceipt>;
  /**
   * Stores the result of a tool call and appends an event.
   *
   * @returns the result that counts: this one, or the first one
   */
  completeToolCall(
    task: TaskRef,
    call: ToolCallRef & {
      step: number;
      output: JsonValue;
      isError: boolean;
      misuse?: ToolMisuse | undefined;
      summary: string;
      durationMs: number;
      /** Limit of the JSON text that the model gets. A longer result is stored whole; the model gets its beginning. */
      maxCharacters: number;
    },
  ): Promise<ToolResultRef>;
}

/** What a model call is for: a turn of the agent loop, or a summary that shortens the conversation (at that head). */
export type Purpose = 'turn' | 'summary' | `summary/${MessageHead}`;

/** A stored response. `text` is that of a summary, and empty for a turn. */
export type PaidCall = { turn: StepResult; text: string };

/**
 * A limit of a tenant or agent for one day. (The limits of a task are in its budget row, where a grant raises them.)
 */
export type DayLimit = {
  id: string;
  maxUsd?: number | undefined;
  maxTokens?: number | undefined;
  maxCalls?: number | undefined;
};

export type OpenModelCall = Run & {
  /** UUID of this attempt. */
  callId: string;
  step: number;
  attempt: number;
  purpose: Purpose;
  provider: string;
  model: string;
  /** The highest usage that the call may have. */
  worstCase: Usage;
  dayLimits: DayLimit[];
};

type ModelCallRecord = {
  callId: string;
  step: number;
  attempt: number;
  purpose: Purpose;
  provider: string;
  model: string;
  usage: Usage;
  durationMs: number;
  firstTokenMs: number | null;
};

export type CompletedModelCall = ModelCallRecord & {
  parent: MessageHead;
  parts: AssistantPart[];
  stopReason: string;
  /** Present when this is the final answer. */
  result?: TaskResult | undefined;
  /** Present when the answer cannot be used: the message that tells the model why. */
  correction?: { because: CorrectionReason; text: string } | undefined;
};

export type FailedModelCall = ModelCallRecord & { code: ErrorCode; message: string; mayRetry: boolean };
