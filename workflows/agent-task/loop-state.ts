import type { MessageHead, TaskPlan, ToolResultRef, Usage } from '../../contract/references.ts';
import type { GuardState } from './loop-guard.ts';

/** Where the loop stands between two steps. */
export type LoopState = { step: number; head: MessageHead; results: ToolResultRef[] };

/** All that a new run needs to continue the task. */
export type ContinueAsNewState = LoopState & {
  /** The previous run. */
  runId: string;
  plan: TaskPlan;
  usage: Usage;
  modelCalls: number;
  workedMs: number;
  hasDelegated?: true;
  /** Since when the task has worked, as milliseconds since 1970. Absent in tasks of older versions. */
  sinceMs?: number;
  guard: GuardState;
  steered?: true;
};
