import type { Approval, ApprovalListQuery, ApprovalRule } from '../approval.ts';
import type { JsonValue } from '../json.ts';
import type { ContentHash, PendingApproval, TaskRef, Verdict } from '../references.ts';
import type { ToolCallKey } from './effects.ts';
import type { Identity, Run } from './identity.ts';

/** A verdict with the content that must not be in a workflow's history: the arguments that count, and the comment. */
export type DecidedCall = Verdict & { arguments: JsonValue; comment: string | null };

/** An approval's row without its links, which only doors can build. */
export type ApprovalRow = Omit<Approval, 'links'>;

/** What a person adds to a decision: a comment, and arguments that replace those of the model. */
export type DecisionNote = { comment?: string | undefined; edit?: { [key: string]: JsonValue } | undefined };

/** A pending approval as its workflow remembers it. */
export type RequestedApproval = Pick<PendingApproval, 'id' | 'argumentsHash'>;

/** Approvals of tool calls that wait for a person. */
export interface Approvals {
  /**
   * Requests approvals, each with its event. Safe to repeat: an earlier decision stays.
   *
   * @returns for each call its verdict, or what the workflow needs while it waits
   * @throws AlfredError `superseded` when the task has ended
   */
  request(
    task: TaskRef,
    run: Run,
    calls: (ToolCallKey & { tool: string; arguments: JsonValue; rule: ApprovalRule })[],
  ): Promise<({ pending: PendingApproval } | { verdict: Verdict })[]>;
  /** Lets the rule's further approvers decide too, with an event. Safe to repeat. */
  escalate(task: TaskRef, run: Run, approvalId: string): Promise<void>;
  /**
   * Decides about a call, with an event. The first decision counts.
   *
   * @param approval its `argumentsHash` is the one that the workflow remembers; the row's hash is not used
   * @returns the decision that counts
   * @throws AlfredError `task_ended`
   */
  decide(
    task: TaskRef,
    run: Run,
    approval: RequestedApproval,
    decision: { approve: boolean; by: string; note: DecisionNote },
  ): Promise<Verdict>;
  /** Decides about a call whose time limit is over, as its rule says (`onExpiry`). Otherwise as `decide`. */
  expire(task: TaskRef, run: Run, approval: RequestedApproval): Promise<Verdict>;
  /** The verdict on a call, or undefined when none was requested or it is pending. */
  findVerdict(task: TaskRef, call: ToolCallKey): Promise<DecidedCall | undefined>;
  /** Stores a note, so that the workflow's history has only its hash. */
  storeNote(approvalId: string, note: DecisionNote): Promise<ContentHash>;
  loadNote(approvalId: string, hash: ContentHash): Promise<DecisionNote>;
  /** An approval that this person requested or may decide. */
  get(identity: Identity, approvalId: string): Promise<ApprovalRow | undefined>;
  list(identity: Identity, query: ApprovalListQuery): Promise<{ approvals: ApprovalRow[]; nextCursor: string | null }>;
}
