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
import { decideUpdate, type DecisionRequest } from '../messages.ts';
import { rowWrite, rowWriteInHandler } from '../policies.ts';

const { requestApprovals, escalateApproval, decideApproval, expireApproval, waitFor, goOn } =
  proxyLocalActivities<Activities>(rowWrite);
// Its event carries the update into the history before a row says anything of it. A local one would write the row in the
// same workflow task that takes the update: when the worker dies in it, the update may be gone with it, and the task waits
// for a decision that everybody sees in the row.
const { decideApproval: decideWithEvent } = proxyActivities<Activities>(rowWriteInHandler);

/** A call on the desk, with the times at which something happens by itself, in milliseconds. */
type Waiting = PendingApproval & { escalatesAt: number; expiresAt: number; isEscalated: boolean };

/** What was decided, and the hash of what the person added. */
type Decided = Verdict & { note?: ContentHash | undefined };

/** A decision on its way into the rows, and what came of it. */
type Submitted = { decision: DecisionRequest; verdict?: Verdict; error?: unknown };

/**
 * Where calls wait at no compute for a person, or for the end of their time.
 *
 * Handlers only hand decisions in; one at a time is written by the task itself. Two local activities side by side may come
 * back in one activation on replay, and in two when it happened.
 */
export class ApprovalDesk {
  private readonly pending = new Map<string, Waiting>();
  private readonly verdicts = new Map<string, Decided>();
  private readonly inbox: Submitted[] = [];
  private readonly task: TaskRef;

  constructor(task: TaskRef) {
    this.task = task;
    setHandler(decideUpdate, (decision) => this.take(decision), {
      validator: (decision: DecisionRequest) => this.check(decision),
    });
  }

  /** Asks about the calls that need it. @returns what to wait for, or undefined when everything is decided */
  async ask(step: number, head: MessageHead, calls: ToolCallRef[]): Promise<WaitReason | undefined> {
    const asked = calls.filter(({ callId, approval }) => approval && !this.verdictOn(callId));
    if (asked.length === 0) return undefined;
    const now = Date.now();
    for (const standing of await requestApprovals({ task: this.task, step, head, calls: asked })) {
      if ('verdict' in standing) this.verdicts.set(standing.verdict.id, standing.verdict);
      else this.pending.set(standing.pending.id, waitingFrom(now, standing.pending));
    }
    return this.pending.size > 0 ? { reason: 'approval', approvals: [...this.pending.keys()] } : undefined;
  }

  /** Waits until everything is decided. */
  async wait(stop: WaitReason): Promise<void> {
    try {
      await waitFor({ task: this.task, stop });
      while (this.pending.size > 0) {
        const submitted = await this.nextDecision();
        if (submitted) await this.write(submitted);
        else await this.whatIsDue();
      }
      await goOn({ task: this.task, reason: 'Everything was decided.' });
    } finally {
      // Who comes later is refused: nobody would write it.
      this.pending.clear();
      for (const late of this.inbox.splice(0)) this.answer(late, this.verdicts.get(late.decision.id));
    }
  }

  /** What was decided about a call of the step at hand. */
  verdictOn(callId: string): Verdict | undefined {
    return [...this.verdicts.values()].find((verdict) => verdict.callId === callId);
  }

  /** The step is over. */
  clear() {
    this.verdicts.clear();
  }

  /** @returns undefined when something is due before anybody decides */
  private async nextDecision(): Promise<Submitted | undefined> {
    const dueInMs = Math.min(...[...this.pending.values()].map(dueAt)) - Date.now();
    if (this.inbox.length === 0) await condition(() => this.inbox.length > 0, Math.max(1, dueInMs));
    return this.inbox.shift();
  }

  private async whatIsDue() {
    for (const waiting of [...this.pending.values()].filter((one) => dueAt(one) <= Date.now())) {
      if (!waiting.isEscalated && waiting.escalatesAt < waiting.expiresAt) {
        waiting.isEscalated = true;
        await escalateApproval({ task: this.task, id: waiting.id });
      } else this.settle(await expireApproval({ task: this.task, asked: askedOf(waiting) }));
    }
  }

  private async write(submitted: Submitted) {
    const { id, approve, by, note } = submitted.decision;
    const waiting = this.pending.get(id);
    try {
      if (!waiting) return this.answer(submitted, this.verdicts.get(id));
      const pending = { ...askedOf(waiting), tool: waiting.tool };
      const decide = patched('decisions-have-an-event') ? decideWithEvent : decideApproval;
      const verdict = await CancellationScope.nonCancellable(() =>
        decide({ task: this.task, pending, approve, by, note }),
      );
      submitted.verdict = this.settle(verdict, note);
    } catch (error) {
      submitted.error = error;
      // What is wrong with a decision is for who made it; the call waits on.
      if (isCancellation(error)) throw error;
    }
  }

  /** Somebody was first, or the task waits no more. */
  private answer(submitted: Submitted, before: Decided | undefined) {
    if (before && isSame(before, submitted.decision)) submitted.verdict = before;
    else submitted.error = before ? decided(before) : refused('approval_decided', 'It is not waited for any more.');
  }

  private check({ id, approve, by, roles, argumentsHash, note }: DecisionRequest) {
    const verdict = this.verdicts.get(id);
    // The same again is no contradiction.
    if (verdict && !isSame(verdict, { by, approve, note })) throw decided(verdict);
    if (verdict) return;
    const waiting = this.pending.get(id);
    if (!waiting) throw refused('not_found', `The task waits for no approval ${id}.`);
    const { isEscalated, escalateTo } = waiting;
    const why = explainRefusal({ ...waiting, escalatedTo: isEscalated ? escalateTo : undefined }, { subject: by, roles });
    if (why) throw refused('approval_forbidden', why);
    if (argumentsHash !== undefined && argumentsHash !== waiting.argumentsHash)
      throw refused('approval_changed', 'The call has other arguments than those you saw. Read it again.');
  }

  private async take(decision: DecisionRequest): Promise<Verdict> {
    const before = this.verdicts.get(decision.id);
    if (before) return before;
    const submitted: Submitted = { decision };
    this.inbox.push(submitted);
    await condition(() => submitted.verdict !== undefined || submitted.error !== undefined);
    if (!submitted.verdict) throw updateFailure(submitted.error);
    return submitted.verdict;
  }

  private settle(verdict: Verdict, note?: ContentHash): Verdict {
    this.verdicts.set(verdict.id, { ...verdict, note });
    this.pending.delete(verdict.id);
    return verdict;
  }
}

const waitingFrom = (now: number, pending: PendingApproval): Waiting => ({
  ...pending,
  escalatesAt: pending.escalateS === undefined ? Infinity : now + pending.escalateS * 1_000,
  expiresAt: now + pending.expiresS * 1_000,
  isEscalated: false,
});

const askedOf = ({ id, argumentsHash }: Waiting) => ({ id, argumentsHash });

const isSame = ({ by, runs, note }: Decided, decision: Pick<DecisionRequest, 'by' | 'approve' | 'note'>) =>
  by === decision.by && runs === decision.approve && note === decision.note;

/** How an activity's refusal reaches who sent the update: with its own code. */
function updateFailure(error: unknown): unknown {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  return cause instanceof ApplicationFailure ? refused(cause.type ?? 'internal', cause.message) : error;
}

const dueAt = ({ isEscalated, escalatesAt, expiresAt }: Waiting) =>
  isEscalated ? expiresAt : Math.min(escalatesAt, expiresAt);

const refused = (code: string, message: string) => ApplicationFailure.nonRetryable(message, code);

const decided = ({ status, by, at, runs }: Verdict) =>
  refused('approval_decided', describeVerdict({ status, by, at, runs }));
