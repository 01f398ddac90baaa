import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  condition,
  isCancellation,
  patched,
  proxyActivities,
  proxyLocalActivities,
  setHandler,
} from '@temporalio/workflow';
import type { Activities } from '../../activities/index.ts';
import { describeVerdict, explainRefusal } from '../../contract/rules/approval-rights.ts';
import type {
  ContentHash,
  MessageHead,
  PendingApproval,
  WaitReason,
  TaskRef,
  ToolCallRef,
  Verdict,
} from '../../contract/references.ts';
import { decideUpdate, type DecisionRequest } from '../signals-and-updates.ts';
import { rowWrite, rowWriteInHandler } from '../policies.ts';

const {
  requestApprovals,
  escalateApproval,
  decideApproval,
  expireApproval,
  waitFor: markWaiting,
  goOn: markResumed,
} = proxyLocalActivities<Activities>(rowWrite);
// Not a local activity: its event puts the update into the history before the row shows the decision. A local activity
// would write the row in the workflow task that accepts the update. If the worker died in that workflow task, the
// update could be lost, and the task would wait for a decision that the row already shows.
const { decideApproval: decideWithEvent } = proxyActivities<Activities>(rowWriteInHandler);

/** A call that waits for a person. Times are in milliseconds since the epoch. */
type TimedApproval = PendingApproval & { escalatesAt: number; expiresAt: number; isEscalated: boolean };

/** A verdict with the hash of what the person added to it. */
type NotedVerdict = Verdict & { note?: ContentHash | undefined };

/** A decision that the task has not written yet; later its verdict, or why it was refused. */
type SubmittedDecision = { decision: DecisionRequest; verdict?: Verdict; error?: unknown };

/**
 * Holds the calls that wait for a person's decision or for their expiry. Waiting takes no compute.
 *
 * Update handlers only queue decisions, and the task writes them one by one. Two local activities that run in parallel
 * may complete in one activation on replay although they completed in two originally.
 */
export class ApprovalDesk {
  private readonly pending = new Map<string, TimedApproval>();
  private readonly verdicts = new Map<string, NotedVerdict>();
  private readonly inbox: SubmittedDecision[] = [];
  private readonly task: TaskRef;

  constructor(task: TaskRef) {
    this.task = task;
    setHandler(decideUpdate, (decision) => this.handleDecision(decision), {
      validator: (decision: DecisionRequest) => this.validate(decision),
    });
  }

  /** Requests approval for the calls that need it. @returns what to wait for; undefined when everything is decided */
  async request(step: number, head: MessageHead, calls: ToolCallRef[]): Promise<WaitReason | undefined> {
    const undecided = calls.filter(({ callId, approval }) => approval && !this.verdictOn(callId));
    if (undecided.length === 0) return undefined;
    const now = Date.now();
    for (const requestState of await requestApprovals({ task: this.task, step, head, calls: undecided })) {
      if ('verdict' in requestState) this.verdicts.set(requestState.verdict.id, requestState.verdict);
      else this.pending.set(requestState.pending.id, timedApprovalOf(now, requestState.pending));
    }
    return this.pending.size > 0 ? { reason: 'approval', approvals: [...this.pending.keys()] } : undefined;
  }

  /** Waits until every pending call is decided or has expired. */
  async waitForVerdicts(stop: WaitReason): Promise<void> {
    try {
      await markWaiting({ task: this.task, stop });
      while (this.pending.size > 0) {
        const submitted = await this.nextDecision();
        if (submitted) await this.write(submitted);
        else await this.handleDueApprovals();
      }
      await markResumed({ task: this.task, reason: 'Everything was decided.' });
    } finally {
      // The task no longer writes decisions, so later ones are refused.
      this.pending.clear();
      for (const late of this.inbox.splice(0)) this.answerLate(late, this.verdicts.get(late.decision.id));
    }
  }

  /** The verdict on a call of the current step. */
  verdictOn(callId: string): Verdict | undefined {
    return [...this.verdicts.values()].find((verdict) => verdict.callId === callId);
  }

  /** Forgets the verdicts when the step is over. */
  forgetVerdicts() {
    this.verdicts.clear();
  }

  /** @returns undefined when an escalation or expiry is due before the next decision */
  private async nextDecision(): Promise<SubmittedDecision | undefined> {
    const dueInMs = Math.min(...[...this.pending.values()].map(dueAt)) - Date.now();
    if (this.inbox.length === 0) await condition(() => this.inbox.length > 0, Math.max(1, dueInMs));
    return this.inbox.shift();
  }

  /** Escalates or expires each call whose time has come. */
  private async handleDueApprovals() {
    for (const due of [...this.pending.values()].filter((approval) => dueAt(approval) <= Date.now())) {
      if (!due.isEscalated && due.escalatesAt < due.expiresAt) {
        due.isEscalated = true;
        await escalateApproval({ task: this.task, id: due.id });
      } else this.recordVerdict(await expireApproval({ task: this.task, asked: approvalKeyOf(due) }));
    }
  }

  private async write(submitted: SubmittedDecision) {
    const { id, approve, by, note } = submitted.decision;
    const approval = this.pending.get(id);
    try {
      if (!approval) return this.answerLate(submitted, this.verdicts.get(id));
      const pending = { ...approvalKeyOf(approval), tool: approval.tool };
      const decide = patched('decisions-have-an-event') ? decideWithEvent : decideApproval;
      const verdict = await CancellationScope.nonCancellable(() =>
        decide({ task: this.task, pending, approve, by, note }),
      );
      submitted.verdict = this.recordVerdict(verdict, note);
    } catch (error) {
      // The sender of the decision gets the error; the call keeps waiting.
      submitted.error = error;
      if (isCancellation(error)) throw error;
    }
  }

  /** Answers a decision on a call that is decided, or that the task no longer waits for. */
  private answerLate(submitted: SubmittedDecision, verdict: NotedVerdict | undefined) {
    if (verdict && isSameDecision(verdict, submitted.decision)) submitted.verdict = verdict;
    else
      submitted.error = verdict
        ? alreadyDecided(verdict)
        : refusal('approval_decided', 'It is not waited for any more.');
  }

  private validate({ id, approve, by, roles, via, argumentsHash, note }: DecisionRequest) {
    const verdict = this.verdicts.get(id);
    // A repeat of the same decision is accepted.
    if (verdict && !isSameDecision(verdict, { by, approve, note })) throw alreadyDecided(verdict);
    if (verdict) return;
    const approval = this.pending.get(id);
    if (!approval) throw refusal('not_found', `The task waits for no approval ${id}.`);
    const { isEscalated, escalateTo } = approval;
    const why = explainRefusal(
      { ...approval, escalatedTo: isEscalated ? escalateTo : undefined },
      { subject: by, roles, via },
    );
    if (why) throw refusal('approval_forbidden', why);
    if (argumentsHash !== undefined && argumentsHash !== approval.argumentsHash)
      throw refusal('approval_changed', 'The call has other arguments than those you saw. Read it again.');
  }

  private async handleDecision(decision: DecisionRequest): Promise<Verdict> {
    const verdict = this.verdicts.get(decision.id);
    if (verdict) return verdict;
    const submitted: SubmittedDecision = { decision };
    this.inbox.push(submitted);
    await condition(() => submitted.verdict !== undefined || submitted.error !== undefined);
    if (!submitted.verdict) throw updateFailure(submitted.error);
    return submitted.verdict;
  }

  private recordVerdict(verdict: Verdict, note?: ContentHash): Verdict {
    this.verdicts.set(verdict.id, { ...verdict, note });
    this.pending.delete(verdict.id);
    return verdict;
  }
}

const timedApprovalOf = (now: number, pending: PendingApproval): TimedApproval => ({
  ...pending,
  escalatesAt: pending.escalateS === undefined ? Infinity : now + pending.escalateS * 1_000,
  expiresAt: now + pending.expiresS * 1_000,
  isEscalated: false,
});

const approvalKeyOf = ({ id, argumentsHash }: TimedApproval) => ({ id, argumentsHash });

const isSameDecision = ({ by, runs, note }: NotedVerdict, decision: Pick<DecisionRequest, 'by' | 'approve' | 'note'>) =>
  by === decision.by && runs === decision.approve && note === decision.note;

/** Gives the sender of an update the activity's refusal with its own code. */
function updateFailure(error: unknown): unknown {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  return cause instanceof ApplicationFailure ? refusal(cause.type ?? 'internal', cause.message) : error;
}

const dueAt = ({ isEscalated, escalatesAt, expiresAt }: TimedApproval) =>
  isEscalated ? expiresAt : Math.min(escalatesAt, expiresAt);

const refusal = (code: string, message: string) => ApplicationFailure.nonRetryable(message, code);

const alreadyDecided = ({ status, by, at, runs }: Verdict) =>
  refusal('approval_decided', describeVerdict({ status, by, at, runs }));
