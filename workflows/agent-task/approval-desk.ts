import { ApplicationFailure, condition, proxyLocalActivities, setHandler } from '@temporalio/workflow';
import type { Activities } from '../../activities/index.ts';
import { whyNot } from '../../contract/approval-rights.ts';
import type { Head, PendingApproval, Stop, TaskRef, ToolCallRef, Verdict } from '../../contract/references.ts';
import { decideUpdate, type Decision } from '../messages.ts';
import { row } from '../policies.ts';

const { requestApprovals, escalateApproval, decideApproval, expireApproval, waitFor, goOn } =
  proxyLocalActivities<Activities>(row);

/** A call on the desk, with the times at which something happens by itself, in milliseconds. */
type Waiting = PendingApproval & { escalatesAt: number; expiresAt: number; isEscalated: boolean };

/** Where calls wait at no compute for a person, or for the end of their time. */
export class ApprovalDesk {
  private readonly pending = new Map<string, Waiting>();
  private readonly verdicts = new Map<string, Verdict>();
  /** Somebody's decision about it is being written. */
  private readonly busy = new Set<string>();
  private readonly task: TaskRef;

  constructor(task: TaskRef) {
    this.task = task;
    setHandler(decideUpdate, (decision) => this.take(decision), { validator: (decision) => this.check(decision) });
  }

  /** Asks about the calls that need it. @returns what to wait for, or undefined when everything is decided */
  async ask(step: number, head: Head, calls: ToolCallRef[]): Promise<Stop | undefined> {
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
  async wait(stop: Stop): Promise<void> {
    await waitFor({ task: this.task, stop });
    while (this.pending.size > 0) {
      const due = await this.nextDue();
      if (due?.isEscalated === false && due.escalatesAt < due.expiresAt) {
        due.isEscalated = true;
        await escalateApproval({ task: this.task, id: due.id });
      } else if (due) this.settle(await expireApproval({ task: this.task, asked: askedOf(due) }));
    }
    await goOn({ task: this.task, reason: 'Everything was decided.' });
  }

  /** What was decided about a call of the step at hand. */
  verdictOn(callId: string): Verdict | undefined {
    return [...this.verdicts.values()].find((verdict) => verdict.callId === callId);
  }

  /** The step is over. */
  clear() {
    this.verdicts.clear();
  }

  /** @returns the call whose time comes next, once it has come; undefined when something was decided before */
  private async nextDue(): Promise<Waiting | undefined> {
    const { size } = this.pending;
    const [next] = [...this.pending.values()].sort((a, b) => dueAt(a) - dueAt(b));
    if (!next) return undefined;
    const decided = await condition(() => this.pending.size < size, Math.max(1, dueAt(next) - Date.now()));
    // Who is deciding at this moment is in time.
    if (!decided) await condition(() => !this.busy.has(next.id));
    return this.pending.has(next.id) && !decided ? next : undefined;
  }

  private check({ id, approve, by, roles, argumentsHash }: Decision) {
    const verdict = this.verdicts.get(id);
    // The same again is no contradiction.
    if (verdict && !(verdict.by === by && verdict.runs === approve)) throw decided(verdict);
    if (verdict) return;
    const waiting = this.pending.get(id);
    if (!waiting) throw refused('not_found', `The task waits for no approval ${id}.`);
    const { isEscalated, escalateTo } = waiting;
    const why = whyNot({ ...waiting, escalatedTo: isEscalated ? escalateTo : undefined }, { subject: by, roles });
    if (why) throw refused('approval_forbidden', why);
    if (argumentsHash !== undefined && argumentsHash !== waiting.argumentsHash)
      throw refused('approval_changed', 'The call has other arguments than those you saw. Read it again.');
  }

  private async take({ id, approve, by, note }: Decision): Promise<Verdict> {
    await condition(() => !this.busy.has(id));
    const waiting = this.pending.get(id);
    const before = this.verdicts.get(id);
    if (before && !(before.by === by && before.runs === approve)) throw decided(before);
    if (before) return before;
    if (!waiting) throw refused('approval_decided', 'It was decided before.');
    this.busy.add(id);
    try {
      const pending = { ...askedOf(waiting), tool: waiting.tool };
      const verdict = await decideApproval({ task: this.task, pending, approve, by, note });
      return this.settle(verdict);
    } finally {
      this.busy.delete(id);
    }
  }

  private settle(verdict: Verdict): Verdict {
    this.verdicts.set(verdict.id, verdict);
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

const dueAt = ({ isEscalated, escalatesAt, expiresAt }: Waiting) =>
  isEscalated ? expiresAt : Math.min(escalatesAt, expiresAt);

const refused = (code: string, message: string) => ApplicationFailure.nonRetryable(message, code);

const decided = ({ status, by, at }: Verdict) =>
  refused('approval_decided', `It was ${status} ${by === null ? 'when its time was over' : `by ${by}`} at ${at}.`);
