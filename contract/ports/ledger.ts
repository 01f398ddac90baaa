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

/** The ledger of model calls and the receipts of tool calls. */
export interface Ledger {
  /**
   * Charges the worst case of a call to every budget it draws on, marks this attempt as the one that may stream and
   * tells followers, unless the step is paid. Attempts that were never heard of again are written down as lost.
   *
   * @returns what an earlier attempt at this step stored, if one did
   * @throws AlfredError `superseded` when this run has ended the task, `budget_exceeded` (with `details`) when the worst
   *   case does not fit: nothing is charged then; `model_unavailable` when too many attempts were lost
   */
  beginModelCall(task: TaskRef, call: OpenModelCall): Promise<PaidCall | undefined>;
  /**
   * Stores the response, the ledger row and the events in one transaction, unless another attempt was first. What was
   * charged too much goes back.
   * @returns what counts: this response, or the first one
   */
  settleModelCall(task: TaskRef, call: CompletedModelCall): Promise<PaidCall>;
  /** @returns how many attempts at this step have failed this way, this one included */
  failModelCall(task: TaskRef, call: FailedModelCall): Promise<number>;
  /** Writes off attempts that nobody can hear of again: their task has ended. @returns how many */
  writeOffLost(): Promise<number>;
  /** What was stored for a step, if it was paid. */
  findPaidCall(task: TaskRef, step: number, purpose: Purpose): Promise<PaidCall | undefined>;
  /** Spending of the scope's tenant, summed. */
  reportUsage(scope: Scope, span: UsageSpan): Promise<UsageReport>;
  /**
   * Stores the intent, of an effect with its input.
   * @returns the stored result of an earlier attempt, or whether an earlier one left without an answer
   */
  beginToolCall(task: TaskRef, call: Run & ToolCallRef & { step: number; arguments: JsonValue }): Promise<ToolReceipt>;
  completeToolCall(
    task: TaskRef,
    call: ToolCallRef & {
      step: number;
      output: JsonValue;
      isError: boolean;
      misuse?: ToolMisuse | undefined;
      summary: string;
      durationMs: number;
      /** A longer result is kept whole and given to the model as its head and a way to read on. */
      maxCharacters: number;
    },
  ): Promise<ToolResultRef>;
}

/** What a call is for: a turn of the loop, or a summary that makes the conversation with that head shorter. */
export type Purpose = 'turn' | 'summary' | `summary/${MessageHead}`;

/** What is stored for a paid call: the turn, and for a summary its text. */
export type PaidCall = { turn: StepResult; text: string };

/** A limit that a call draws on; a task's own stands in its row, so that a grant can widen it. */
export type DayLimit = {
  id: string;
  maxUsd?: number | undefined;
  maxTokens?: number | undefined;
  maxCalls?: number | undefined;
};

export type OpenModelCall = Run & {
  /** Names this attempt. */
  callId: string;
  step: number;
  attempt: number;
  purpose: Purpose;
  provider: string;
  model: string;
  /** Input as large, output as long and both as dear as they can be. */
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
  /** Present when the answer cannot be used and the model is told so. */
  correction?: { because: CorrectionReason; text: string } | undefined;
};

export type FailedModelCall = ModelCallRecord & { code: ErrorCode; message: string; mayRetry: boolean };
