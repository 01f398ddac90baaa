import type { Approval, ApprovalListQuery, ApprovalRule } from '../approval.ts';
import type { JsonValue } from '../json.ts';
import type { Principal } from '../principal.ts';
import type { ContentHash, PendingApproval, TaskRef, Verdict } from '../references.ts';
import type { ToolCallKey } from './effects.ts';
import type { Run } from './run.ts';

/** A verdict with the content that must not be in a workflow's history. */
export type DecidedCall = Verdict & {
  /** The arguments that count: the model's, or those that the person edited. */
  arguments: JsonValue;
  comment: string | null;
};

/** An approval's row without its links, which only the API can build. */
export type ApprovalRow = Omit<Approval, 'links'>;

/** What a person adds to a decision. */
export type DecisionNote = {
  comment?: string | undefined;
  /** Arguments that replace those of the model. */
  edit?: { [key: string]: JsonValue } | undefined;
};

/** A pending approval as its workflow remembers it. */
export type RequestedApproval = Pick<PendingApproval, 'id' | 'argumentsHash'>;

/** Approvals of tool calls that wait for a person. */
export interface Approvals {
  /**
   * Requests approvals, and appends an event for each. Safe to repeat: a call that is decided keeps its verdict.
   *
   * @param calls `rule`: the rule that requires the approval
   * @returns for each call its verdict, or what the workflow needs while the call waits
   * @throws AlfredError `superseded` when the task has ended
   */
  request(
    task: TaskRef,
    run: Run,
    calls: (ToolCallKey & { tool: string; arguments: JsonValue; rule: ApprovalRule })[],
  ): Promise<({ pending: PendingApproval } | { verdict: Verdict })[]>;

  /** Lets the rule's further approvers (`escalateTo`) decide too, and appends an event. Safe to repeat. */
  escalate(task: TaskRef, run: Run, approvalId: string): Promise<void>;

  /**
   * Decides about a call, and appends an event. The first decision counts.
   *
   * @param approval `argumentsHash`: the hash that the workflow remembers. The row's hash is not used.
   * @returns the decision that counts
   * @throws AlfredError `task_ended` when the task ended before the decision; `approval_forbidden` when four eyes
   *   decide and this person has rotated the API key that requested
   */
  decide(
    task: TaskRef,
    run: Run,
    approval: RequestedApproval,
    decision: { approve: boolean; by: string; note: DecisionNote },
  ): Promise<Verdict>;

  /** Decides about a call whose time limit is over, as its rule says (`onExpiry`). Returns and throws as `decide`. */
  expire(task: TaskRef, run: Run, approval: RequestedApproval): Promise<Verdict>;

  /** Reads the verdict on a call. @returns undefined when no approval was requested, or the approval is pending */
  findVerdict(task: TaskRef, call: ToolCallKey): Promise<DecidedCall | undefined>;

  /**
   * Stores who is about to decide and what they add, before the workflow is asked: its history has only the subject and
   * the note's hash.
   *
   * @returns the note's hash; undefined without a note
   */
  storeDecision(principal: Principal, approvalId: string, note: DecisionNote): Promise<ContentHash | undefined>;

  loadNote(approvalId: string, hash: ContentHash): Promise<DecisionNote>;

  /** Reads an approval that this person requested or may decide. */
  get(principal: Principal, approvalId: string): Promise<ApprovalRow | undefined>;

  /** Lists the approvals that this person requested or may decide. */
  list(
    principal: Principal,
    query: ApprovalListQuery,
  ): Promise<{ approvals: ApprovalRow[]; nextCursor: string | null }>;
}
