import {
  ApplicationFailure,
  CancellationScope,
  condition,
  patched,
  proxyActivities,
  proxyLocalActivities,
  setHandler,
} from '@temporalio/workflow';
import type { Activities } from '../../activities/index.ts';
import type { BudgetLimits, WaitReason, TaskRef } from '../../contract/references.ts';
import { budgetUpdate, resumeSignal, type BudgetGrant } from '../signals-and-updates.ts';
import { rowWrite, rowWriteInHandler } from '../policies.ts';

const { waitFor: markWaiting, goOn: markResumed, grantBudget } = proxyLocalActivities<Activities>(rowWrite);
// Not a local activity: one started by a handler can complete in another order on replay than one of the main loop.
const { grantBudget: grantInHandler } = proxyActivities<Activities>(rowWriteInHandler);

/** How long a task waits for more budget if the request does not set `waitS`, in seconds. */
const defaultWaitS = 7 * 86_400;
/** A task that waits for a model, its tenant or a new day tries again at least this often, even without a signal. */
const recheckMs = { outage: 10 * 60_000, tenant: 10 * 60_000, day: 3_600_000 };
/** A task that waits for our database or index tries again after this time, then after twice as long, and so on. */
const serviceRecheckMs = { first: 2_000, longest: 10 * 60_000 };
const msPerDay = 86_400_000;

/** Where a task waits for more budget, or for a model to answer again. Waiting takes no compute. */
export class WaitingRoom {
  budget: BudgetLimits = {};
  /** What the task waits for now. */
  private waitReason: WaitReason | undefined;
  private isResumed = false;
  /** A person asked the task to end with the result it has. */
  private isFinishing = false;
  /** Waits for our own services since the last step that succeeded. */
  private serviceWaits = 0;
  /** Totals that grants have set in this run. */
  private granted: BudgetLimits = {};
  private readonly task: TaskRef;

  constructor(task: TaskRef) {
    this.task = task;
    setHandler(resumeSignal, () => {
      this.isResumed = true;
    });
    setHandler(budgetUpdate, (grant) => this.handleGrant(grant), {
      validator: (grant: BudgetGrant) => this.validate(grant),
    });
  }

  /** Notes that a step has succeeded: the next wait for a service is short again. */
  noteSuccess() {
    this.serviceWaits = 0;
  }

  /** @returns false when the task must end with what it has */
  async wait(stop: WaitReason): Promise<boolean> {
    // A grant that was accepted while the refused call was on its way back has already made the room.
    if (this.isGranted(stop) && patched('a-grant-before-the-wait-counts')) return true;
    this.waitReason = stop;
    this.isResumed = false;
    await markWaiting({ task: this.task, stop });
    const isResumed = await condition(() => this.isResumed || this.isFinishing, this.timeoutMsOf(stop));
    this.waitReason = undefined;
    if (this.isFinishing || (!isResumed && needsGrant(stop))) return false;
    await markResumed({ task: this.task, reason: resumeReasonOf(stop, isResumed) });
    return true;
  }

  /** Whether the task's budget, as it is now, is larger than the limit that was reached. */
  isGranted(stop: WaitReason): boolean {
    if (!needsGrant(stop)) return false;
    const limit = this.budget[stop.limit];
    // The row, which `max` comes from, keeps ten decimals.
    return limit !== undefined && Number(limit.toFixed(10)) > stop.max;
  }

  private timeoutMsOf(wait: WaitReason): number {
    if (wait.reason === 'outage' || wait.reason === 'tenant') return recheckMs[wait.reason];
    if (wait.reason === 'service')
      return Math.min(serviceRecheckMs.first * 2 ** this.serviceWaits++, serviceRecheckMs.longest);
    if (needsGrant(wait)) return (this.budget.waitS ?? defaultWaitS) * 1_000;
    const untilTomorrowMs = msPerDay - (Date.now() % msPerDay);
    return Math.min(untilTomorrowMs + 1_000, recheckMs.day);
  }

  private validate({ finish, ...more }: BudgetGrant) {
    const wait = this.waitReason;
    const totals = Object.entries(more).filter(([, value]) => value !== undefined) as [keyof typeof more, number][];
    if (finish && totals.length > 0) throw refusal('Send more budget or finish, not both.');
    if (finish && wait?.reason !== 'budget')
      throw refusal('The task does not wait for a budget. To end it, cancel it.');
    if (!finish && totals.length === 0) throw refusal('Name a limit and its new total, or finish.');
    for (const [name, total] of totals) {
      const current = this.budget[name];
      if (current === undefined) throw refusal(`The task has no ${name}, so it needs no more of it.`);
      if (!this.isRepeated(name, total) && total <= current)
        throw refusal(`${name} is ${current} already; a new total must be more.`);
    }
    if (finish || wait?.reason !== 'budget') return;
    if (wait.scope !== 'task')
      throw refusal(`The ${wait.scope}’s ${wait.limit} of the day is what binds; it is not granted for a task.`);
    if (more[wait.limit] === undefined) throw refusal(`What binds is ${wait.limit}: name a new total of it.`);
  }

  /**
   * Whether the task has this total already and the grant still succeeds: its answer may have been lost. A task that
   * waits at its first total is not helped by the same total, so that is refused.
   */
  private isRepeated(name: keyof Omit<BudgetLimits, 'waitS'>, total: number): boolean {
    const isBinding = this.waitReason?.reason === 'budget' && this.waitReason.limit === name;
    return total === this.budget[name] && (!isBinding || this.granted[name] === total);
  }

  private async handleGrant({ finish, ...more }: BudgetGrant): Promise<BudgetLimits> {
    if (finish) this.isFinishing = true;
    else if (raises(this.budget, more)) {
      this.granted = widest(this.granted, more);
      const grant = patched('handlers-run-no-local-activities') ? grantInHandler : grantBudget;
      // A cancelled activity would complete without an event, and in another order on replay.
      // Two grants at once may be answered in either order.
      const budget = await CancellationScope.nonCancellable(() => grant({ task: this.task, more }));
      this.budget = widest(this.budget, budget);
      this.isResumed ||= this.waitReason?.reason === 'budget';
    }
    return this.budget;
  }
}

type TaskLimit = Extract<WaitReason, { reason: 'budget' }>;

/** Whether only a person can end the wait: the task's own budget is spent. Budgets of the day renew themselves. */
const needsGrant = (wait: WaitReason): wait is TaskLimit => wait.reason === 'budget' && wait.scope === 'task';

const raises = (budget: BudgetLimits, more: BudgetLimits) =>
  limitNames.some((name) => more[name] !== undefined && more[name] > (budget[name] ?? 0));

/** The higher value of each limit. */
function widest(a: BudgetLimits, b: BudgetLimits): BudgetLimits {
  const limits = { ...a, ...b };
  for (const name of limitNames)
    if (a[name] !== undefined && b[name] !== undefined) limits[name] = Math.max(a[name], b[name]);
  return limits;
}

const limitNames = ['maxCostUsd', 'maxTokens', 'maxModelCalls', 'maxDurationS'] as const;

function resumeReasonOf(wait: WaitReason, isResumed: boolean): string {
  if (wait.reason === 'budget')
    return needsGrant(wait) ? 'More budget was granted.' : 'Looks at the day’s budget again.';
  if (wait.reason === 'approval') return 'Everything was decided.';
  if (wait.reason === 'service') return `Tries the ${wait.service} again.`;
  if (wait.reason === 'tenant') return isResumed ? 'The tenant may work again.' : 'Looks at the tenant again.';
  return isResumed ? `${wait.model} may be called again.` : `Looks at ${wait.model} again.`;
}

const refusal = (message: string) => ApplicationFailure.nonRetryable(message, 'budget_refused');
