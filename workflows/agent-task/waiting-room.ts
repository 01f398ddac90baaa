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
import { budgetUpdate, resumeSignal, type BudgetGrant } from '../messages.ts';
import { row, rowOnRequest } from '../policies.ts';

const { waitFor, goOn, grantBudget } = proxyLocalActivities<Activities>(row);
// A local activity of a handler beside one of the task itself may come back in another order on replay.
const { grantBudget: grantInHandler } = proxyActivities<Activities>(rowOnRequest);

/** How long a task waits for a grant when nobody said, in seconds. */
const defaultWaitS = 7 * 86_400;
/** Whoever waits for a model or a new day looks for itself at least this often. */
const lookAgain = { outageMs: 10 * 60_000, dayMs: 3_600_000 };

/** Where a task waits at no compute: for more budget, for a model to come back. */
export class WaitingRoom {
  budget: BudgetLimits = {};
  private stop: WaitReason | undefined;
  private called = false;
  private finishing = false;
  private readonly task: TaskRef;

  constructor(task: TaskRef) {
    this.task = task;
    setHandler(resumeSignal, () => void (this.called = true));
    setHandler(budgetUpdate, (grant) => this.take(grant), {
      validator: (grant: BudgetGrant) => this.check(grant),
    });
  }

  /** @returns false when the task shall end with what it has */
  async wait(stop: WaitReason): Promise<boolean> {
    this.stop = stop;
    this.called = false;
    await waitFor({ task: this.task, stop });
    const called = await condition(() => this.called || this.finishing, this.patienceMs(stop));
    this.stop = undefined;
    if (this.finishing || (!called && asksForMore(stop))) return false;
    await goOn({ task: this.task, reason: reasonOf(stop, called) });
    return true;
  }

  private patienceMs(stop: WaitReason): number {
    if (stop.reason === 'outage') return lookAgain.outageMs;
    if (asksForMore(stop)) return (this.budget.waitS ?? defaultWaitS) * 1_000;
    const untilTomorrow = 86_400_000 - (Date.now() % 86_400_000);
    return Math.min(untilTomorrow + 1_000, lookAgain.dayMs);
  }

  private check({ finish, ...more }: BudgetGrant) {
    const { stop } = this;
    const given = Object.entries(more).filter(([, value]) => value !== undefined) as [keyof typeof more, number][];
    if (finish && given.length > 0) throw refused('Send more budget or finish, not both.');
    if (finish && stop?.reason !== 'budget')
      throw refused('The task does not wait for a budget. To end it, cancel it.');
    if (!finish && given.length === 0) throw refused('Name a limit and its new total, or finish.');
    for (const [name, value] of given) {
      const now = this.budget[name];
      if (now === undefined) throw refused(`The task has no ${name}, so it needs no more of it.`);
      if (value <= now) throw refused(`${name} is ${now} already; a new total must be more.`);
    }
    if (finish || stop?.reason !== 'budget') return;
    if (stop.scope !== 'task')
      throw refused(`The ${stop.scope}’s ${stop.limit} of the day is what binds; it is not granted for a task.`);
    if (more[stop.limit] === undefined) throw refused(`What binds is ${stop.limit}: name a new total of it.`);
  }

  private async take({ finish, ...more }: BudgetGrant): Promise<BudgetLimits> {
    if (finish) this.finishing = true;
    else {
      const grant = patched('handlers-run-no-local-activities') ? grantInHandler : grantBudget;
      // A cancelled activity would come back without an event, and in another order on replay.
      this.budget = await CancellationScope.nonCancellable(() => grant({ task: this.task, more }));
      this.called ||= this.stop?.reason === 'budget';
    }
    return this.budget;
  }
}

const asksForMore = (stop: WaitReason) => stop.reason === 'budget' && stop.scope === 'task';

function reasonOf(stop: WaitReason, called: boolean): string {
  if (stop.reason === 'budget')
    return asksForMore(stop) ? 'More budget was granted.' : 'Looks at the day’s budget again.';
  if (stop.reason === 'approval') return 'Everything was decided.';
  return called ? `${stop.model} may be called again.` : `Looks at ${stop.model} again.`;
}

const refused = (message: string) => ApplicationFailure.nonRetryable(message, 'budget_refused');
