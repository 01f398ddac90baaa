import type { JsonValue } from '../json.ts';
import type { Scope, TaskRef, ToolResultRef } from '../references.ts';
import type { Run } from './run.ts';

/**
 * What is stored of a tool call: its result; or, without a result, whether an earlier attempt has sent the request.
 */
export type ToolReceipt = { result: ToolResultRef } | { result: undefined; sent: boolean };

/** Identifies a tool call within its task. */
export type ToolCallKey = { step: number; callId: string };

/** A call to undo, with what its undo needs. */
export type UndoableCall = {
  tool: string;
  input: JsonValue;
  /** Undefined if no result was stored. */
  output: JsonValue | undefined;
  /** True: an earlier attempt at the undo has sent its request and got no response. */
  sent: boolean;
};

/**
 * The outcome of an undo. `impossible`: the tool has no undo. `unknown`: it is not known whether the call took effect,
 * or was undone.
 */
export type UndoState = 'undone' | 'failed' | 'impossible' | 'unknown';

/**
 * Receipts of tool calls that change something outside Alfred: when their requests were sent, and how they were undone.
 */
export interface Effects {
  /**
   * Records that the request of a call is about to be sent. Only one of several concurrent attempts may send it.
   *
   * @param again true allows the request although an earlier attempt has sent it
   * @throws AlfredError `superseded` when the task has ended, `effect_unknown` when another attempt has sent the
   *   request
   */
  claimSend(task: TaskRef, run: Run, call: ToolCallKey, again: boolean): Promise<void>;

  /** Records that the request which was sent has changed nothing, so that it may be sent again. */
  recordNoEffect(task: TaskRef, call: ToolCallKey, of: 'call' | 'undo'): Promise<void>;

  /**
   * Lists the calls that a cancelled task must undo, newest first. Empty if neither its cancellation nor that of a task
   * above it asked for an undo.
   *
   * @returns `delegated`: ended tasks below it whose effects are marked for an undo now, which they undo themselves
   */
  planUndo(task: TaskRef): Promise<{ undo: ToolCallKey[]; delegated?: TaskRef[] }>;

  /**
   * Marks what an ended task, and the ended tasks below it, have changed for an undo, also what could not be undone
   * before. Idempotent.
   *
   * @returns `undone`: the tasks with undos under way now. `ending`: tasks below it that still run; their rows say that
   *   they are to undo what they did when they end. Both are empty when nothing is left that an undo may take back
   */
  requestUndo(scope: Scope, taskId: string): Promise<{ undone: TaskRef[]; ending: TaskRef[] }>;

  /**
   * Marks what a delegated task has changed that was asked to undo it while it ended, after the end of its parent, and
   * was not cancelled: it has not undone it itself.
   *
   * @returns whether an undo is under way now
   */
  markLateUndo(task: TaskRef): Promise<boolean>;

  /** Lists the calls whose undo has been asked for and has not ended, newest first. */
  listBegunUndos(task: TaskRef): Promise<ToolCallKey[]>;

  /**
   * Lists tasks of all tenants with such calls, in the order of their ids, for the sweep.
   *
   * @param page tasks that ended before `olderThanMs`, after the task `after`
   */
  listUndoing(page: { olderThanMs: number; after: string | undefined; limit: number }): Promise<TaskRef[]>;

  /** Begins or continues an undo. @returns undefined if the undo has been completed */
  beginUndo(task: TaskRef, call: ToolCallKey): Promise<UndoableCall | undefined>;

  /**
   * Does the same as `claimSend`, for the request of an undo.
   *
   * @throws AlfredError `effect_unknown` when another attempt has sent the request
   */
  claimUndoSend(task: TaskRef, call: ToolCallKey, again: boolean): Promise<void>;

  /**
   * Records the outcome of an undo together with its event, also after the task's end. Idempotent: the first outcome
   * wins.
   */
  completeUndo(task: TaskRef, call: ToolCallKey, outcome: { state: UndoState; summary: string }): Promise<void>;
}
