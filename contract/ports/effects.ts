import type { JsonValue } from '../json.ts';
import type { TaskRef, ToolResultRef } from '../references.ts';
import type { Run } from './identity.ts';

export type ToolReceipt = { result: ToolResultRef } | { result: undefined; left: boolean };

/** One tool call of a task. */
export type ToolCallKey = { step: number; callId: string };

/** Something a task has changed in the world, with what its undo needs. */
export type Undo = { tool: string; input: JsonValue; output: JsonValue | undefined; left: boolean };

export type UndoState = 'undone' | 'failed' | 'impossible' | 'unknown';

/** When effects leave, and how they are taken back. */
export interface Effects {
  /**
   * Right before the request that nothing can call back. Of several attempts one leaves.
   * @param again also when an earlier attempt has left
   * @throws AlfredError `superseded` when the task has ended, `effect_unknown` when another attempt has left
   */
  leave(task: TaskRef, run: Run, call: ToolCallKey, again: boolean): Promise<void>;
  /** What left is known to have changed nothing. */
  comeBack(task: TaskRef, call: ToolCallKey, of: 'call' | 'undo'): Promise<void>;
  /** Why a task shall be cancelled, and what of its effects shall be taken back, newest first. */
  cancellation(task: TaskRef): Promise<{ undo: ToolCallKey[] }>;
  /** @returns undefined when it was settled before; `left`: an attempt to undo left without an answer */
  beginUndo(task: TaskRef, call: ToolCallKey): Promise<Undo | undefined>;
  /** @throws AlfredError `effect_unknown` when another attempt has left */
  leaveUndo(task: TaskRef, call: ToolCallKey, again: boolean): Promise<void>;
  /** Once, with its event: the first outcome counts. */
  settleUndo(task: TaskRef, call: ToolCallKey, outcome: { state: UndoState; summary: string }): Promise<void>;
}
