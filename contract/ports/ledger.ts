import type { NewArtifact } from '../artifacts.ts';
import type { ErrorCode } from '../errors.ts';
import type { NewTaskEvent } from '../events.ts';
import type { JsonValue } from '../json.ts';
import type { AssistantPart } from '../messages.ts';
import type {
  CorrectionReason,
  MessageHead,
  Reach,
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
import type { NextMessage } from './message-store.ts';
import type { Run } from './run.ts';

/** The ledger of model calls, each of which is paid once, and the receipts of tool calls. */
export interface Ledger {
  /**
   * Charges the worst case of a call to its budgets, marks it as the one that may stream, and appends an event. The
   * calls that it replaces become lost if they are still open. Nothing changes if the step is paid already, or another
   * call of it is open.
   *
   * @returns the stored response when an earlier attempt has completed the step; `running` when another call is open
   * @throws AlfredError `superseded` when this run has ended the task; `budget_exceeded` (with `details`) when the
   *   worst case does not fit, and then nothing is charged; `model_unavailable` when too many attempts were lost
   */
  beginModelCall(task: TaskRef, call: OpenModelCall): Promise<PaidCall | 'running' | undefined>;

  /**
   * Stores the response, the ledger row and the events in one transaction, unless another attempt has completed the
   * step. The actual usage replaces the charged worst case.
   *
   * @returns the response that counts: that of the first attempt that completed the step
   */
  settleModelCall(task: TaskRef, call: CompletedModelCall): Promise<PaidCall>;

  /**
   * Records a failed attempt. @returns how many attempts at this step have failed with this code, including this one
   */
  failModelCall(task: TaskRef, call: FailedModelCall): Promise<number>;

  /** Counts the attempts at a step that have failed with this code. @param call `of`: only those of this model */
  countFailures(task: TaskRef, call: { step: number; purpose: Purpose; of?: string }, code: ErrorCode): Promise<number>;

  /** Lists the ids of a task's open calls, of one step and purpose or all. */
  listOpenCalls(task: TaskRef, only?: { step: number; purpose: Purpose }): Promise<string[]>;

  /**
   * Reads whether the answer of an open call is still of use: `superseded` when another attempt took over or has
   * answered, `ended` when the task has ended since, or is to be cancelled.
   */
  stateOfCall(task: TaskRef, callId: string): Promise<'open' | 'superseded' | 'ended'>;

  /** Marks a task's open calls as lost, because their workers are gone. */
  writeOffOpenCalls(task: TaskRef): Promise<void>;

  /** Marks attempts as lost that are still open long after their task has ended. @returns their number */
  writeOffLost(): Promise<number>;

  /** Finds the cut answer of a step that is not paid. @returns the head of the conversation that ends with it */
  findCutAnswer(task: TaskRef): Promise<MessageHead | undefined>;

  /** Reads the stored response of a step. @returns undefined when no attempt has completed the step */
  findPaidCall(task: TaskRef, step: number, purpose: Purpose): Promise<PaidCall | undefined>;

  /** Sums the usage within reach: of the whole tenant, or of the subject's tasks. */
  reportUsage(reach: Reach, span: UsageSpan): Promise<UsageReport>;

  /** Adds calls to the daily sums that ended before there were such sums. @returns how many, at most `limit` */
  countUsage(limit: number): Promise<number>;

  /**
   * Stores that a tool call begins, and appends an event. The input of a call with an effect is stored too.
   *
   * @returns the stored result of an earlier attempt; or, without a result, whether an earlier attempt has sent the
   *   request (`sent`)
   * @throws AlfredError `superseded` when the task has ended
   */
  beginToolCall(task: TaskRef, call: Run & ToolCallRef & { step: number; arguments: JsonValue }): Promise<ToolReceipt>;

  /**
   * Stores the result of a tool call with the files that it has made, and appends events.
   *
   * @returns the result that counts: the first one that was stored
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
      /** Appended before that of the result. */
      event?: NewTaskEvent | undefined;
      /** Files that the call has made. The model reads which of them the task cannot keep. */
      artifacts?: readonly NewArtifact[] | undefined;
      /** Called once, with the number of files that were kept. */
      onKept?: ((files: number) => void) | undefined;
      /** Limit of the JSON text that the model gets. A longer result is stored whole; the model gets its beginning. */
      maxCharacters: number;
    },
  ): Promise<ToolResultRef>;
}

/** What a model call is for: a turn of the agent loop, or a summary that shortens the conversation (at that head). */
export type Purpose = 'turn' | 'summary' | `summary/${MessageHead}`;

/** The stored response of a model call. */
export type PaidCall = {
  turn: StepResult;
  /** The text of a summary. Empty when the call was a turn. */
  text: string;
};

/**
 * A limit of a tenant or agent for one day. (The limits of a task are in its budget row, where a grant raises them.)
 */
export type DayLimit = {
  /** `budgetId.agent(…)` or `budgetId.tenant(…)` of contract/ids.ts. */
  id: string;
  maxUsd?: number | undefined;
  maxTokens?: number | undefined;
  maxCalls?: number | undefined;
};

/** An attempt at a model call, before the call. */
export type OpenModelCall = Run & {
  /** UUID of this attempt. */
  callId: string;
  step: number;
  attempt: number;
  /** Open calls of the same step whose attempts are gone. */
  replaces: string[];
  purpose: Purpose;
  provider: string;
  model: string;
  /** The highest usage that the call may have. */
  worstCase: Usage;
  dayLimits: DayLimit[];
  /** A message of the conversation that is stored when the call begins. */
  unstored?: NextMessage | undefined;
};

/** An attempt at a model call, after the call. */
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
  /** `rest`: the end of the text, which is not streamed yet. `pieces`: so many pieces before it may be. */
  streamed?: { rest: string; pieces: number } | undefined;
  /** Present when this is the final answer. */
  result?: TaskResult | undefined;
  /** Present when the answer cannot be used: the message that tells the model why. */
  correction?: { because: CorrectionReason; text: string } | undefined;
};

export type FailedModelCall = ModelCallRecord & {
  code: ErrorCode;
  message: string;
  mayRetry: boolean;
  /** An answer that was cut because the budget left no room for more. The task can end with it. */
  cut?: { parent: MessageHead; parts: AssistantPart[] } | undefined;
};
