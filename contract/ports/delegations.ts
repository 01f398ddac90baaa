import type { DelegatedShare } from '../delegation.ts';
import type { BudgetLimits, MessageHead, TaskRef } from '../references.ts';
import type { TaskInput, TaskRow } from '../task.ts';
import type { ToolCallKey } from './effects.ts';
import type { Run } from './run.ts';

/** A task that another one delegates. */
export type NewDelegation = ToolCallKey & {
  agent: string;
  input: TaskInput;
  /** What the model wants to give of the budget. */
  asked: DelegatedShare;
  /** The agent's own limits for one task. */
  agentBudget: BudgetLimits;
  /** Of what the tenant has set for the agent. */
  settingsVersion?: number | null | undefined;
  /** The number of delegate calls in this step: what is left of the budget is parted by them. */
  among: number;
};

export type BegunDelegation = {
  child: TaskRef & { head: MessageHead };
  /** 1 (first) to 5 (last), that of the parent. */
  priority: number | undefined;
  /** An attempt before has brought it to its end. */
  hasEnded: boolean;
};

/** How a delegated task has ended. `usage`: its own. */
export type DelegationEnd = { taskId: string; agent: string } & Pick<
  TaskRow,
  'status' | 'error' | 'usage' | 'artifacts'
>;

/** How long tasks below another one have waited, together as one, and whether one of them waits now. */
export type WaitsBelow = { ms: number; isWaiting: boolean };

/** Tasks that other tasks delegate, and the shares of the budgets that they get. */
export interface Delegations {
  /**
   * Stores the child as a queued task with the rights of its parent, and charges the parent's budget with the child's
   * share. Idempotent: a repeat finds the child.
   *
   * @returns `refused`: why the delegation is not allowed, for the model to read
   * @throws AlfredError `budget_exceeded` (with `details`) when the parent's budget has no room for a share while
   *   another child is open, and then nothing is stored; `superseded` when this run has ended the parent
   */
  begin(parent: TaskRef, run: Run, delegation: NewDelegation): Promise<BegunDelegation | { refused: string }>;

  /**
   * Replaces the share that the parent's budget was charged with by what the child has really spent, takes from the
   * child's budget what is left, and appends the event. If the parent is a child that was settled before, what is left
   * belongs to the task above it. Idempotent.
   */
  settle(parent: TaskRef, call: ToolCallKey, end: DelegationEnd): Promise<void>;

  /** Lists the delegations in the whole tree below a task that are not settled, the deepest first. */
  listOpenBelow(task: TaskRef): Promise<{ parent: TaskRef; call: ToolCallKey; child: TaskRef }[]>;

  /**
   * Reads how long at least one of the tasks below a task has waited.
   *
   * @param sinceMs since this time, as milliseconds since 1970. Default: in the task's whole life
   */
  readWaits(task: TaskRef, sinceMs?: number): Promise<WaitsBelow>;

  /** The agents of a task and of all tasks above it: none of them is delegated to. */
  listChain(task: TaskRef): Promise<string[]>;
}
