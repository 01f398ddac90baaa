import type { Approval, ApprovalListQuery, ApprovalRule } from '../approval.ts';
import type { JsonValue } from '../json.ts';
import type { ContentHash, PendingApproval, TaskRef, Verdict } from '../references.ts';
import type { ToolCallKey } from './effects.ts';
import type { Identity, Run } from './identity.ts';

/** A verdict with what must not stand in a history. */
export type DecidedCall = Verdict & { arguments: JsonValue; comment: string | null };

export type ApprovalRow = Omit<Approval, 'links'>;

/** What a person adds to a decision. */
export type DecisionNote = { comment?: string | undefined; edit?: { [key: string]: JsonValue } | undefined };

export type RequestedApproval = Pick<PendingApproval, 'id' | 'argumentsHash'>;

/** Calls that wait for a person. */
export interface Approvals {
  /** Asks, with the events. Safe to repeat: what was decided before stays decided. */
  request(
    task: TaskRef,
    run: Run,
    calls: (ToolCallKey & { tool: string; arguments: JsonValue; rule: ApprovalRule })[],
  ): Promise<({ pending: PendingApproval } | { verdict: Verdict })[]>;
  escalate(task: TaskRef, run: Run, approvalId: string): Promise<void>;
  /**
   * Once: the first decision counts. @returns the one that does
   * @param asked with the arguments' hash as the workflow remembers it, whatever the row says by now
   */
  decide(
    task: TaskRef,
    run: Run,
    asked: RequestedApproval,
    decision: { approve: boolean; by: string; note: DecisionNote },
  ): Promise<Verdict>;
  /** Its time is over: what its rule says counts. */
  expire(task: TaskRef, run: Run, asked: RequestedApproval): Promise<Verdict>;
  /** What was decided about a call, if anything was asked. */
  findVerdict(task: TaskRef, call: ToolCallKey): Promise<DecidedCall | undefined>;
  /** Keeps what a person adds, so that a history carries its hash only. */
  storeNote(approvalId: string, note: DecisionNote): Promise<ContentHash>;
  loadNote(approvalId: string, hash: ContentHash): Promise<DecisionNote>;
  /** What this person asked for or may decide. */
  get(identity: Identity, approvalId: string): Promise<ApprovalRow | undefined>;
  list(identity: Identity, query: ApprovalListQuery): Promise<{ approvals: ApprovalRow[]; nextCursor: string | null }>;
}
