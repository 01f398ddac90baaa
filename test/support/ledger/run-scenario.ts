import { expect } from '@jest/globals';
import { v7 as newId } from 'uuid';
import type { DayLimit, OpenModelCall, PaidCall } from '../../../contract/ports/index.ts';
import { AlfredError } from '../../../contract/errors.ts';
import { budgetId } from '../../../contract/ids.ts';
import { totalTokens, type BudgetLimits, type Usage } from '../../../contract/references.ts';
import type { Action, AttemptOutcome, ScenarioLimits, Scenario } from './ledger-scenarios.ts';
import { remainingIn, setDayLimit, findInconsistencies } from './ledger-invariants.ts';
import {
  beginReplacing,
  completedCall,
  failedCall,
  openCall,
  usageOf,
  type LedgerTask,
  type LedgerHarness,
} from './ledger-harness.ts';

type BegunAttempt = {
  actor: Actor;
  call: OpenModelCall;
  used: Usage;
  /** How the attempt ended, once it has reported late. */
  lateOutcome?: Exclude<AttemptOutcome, 'vanishes'>;
};
type Actor = LedgerTask & {
  runId: string;
  /** The next step; all steps before it are paid. */
  step: number;
  attempts: number;
  limits: BudgetLimits;
  begun: BegunAttempt[];
};

const limitsOf = ({ usd, tokens, calls }: ScenarioLimits): BudgetLimits => ({
  ...(usd === undefined ? {} : { maxCostUsd: usd }),
  ...(tokens === undefined ? {} : { maxTokens: tokens }),
  ...(calls === undefined ? {} : { maxModelCalls: calls }),
});

/**
 * Runs a scenario against the ledger: its batches in order, the actions of a batch at the same time. Expects that the
 * ledger is consistent at every moment, that the usage of all calls stays within every limit, and that the remaining
 * budget can be spent.
 */
export async function runScenario(harness: LedgerHarness, { tasks, agent, tenant, batches }: Scenario): Promise<void> {
  const scope = { tenant: newId(), subject: 'local' };
  const dayLimits: DayLimit[] = [
    { id: budgetId.agent(scope.tenant, 'knowledge', '2026-01-01'), ...dayOf(agent) },
    { id: budgetId.tenant(scope.tenant, '2026-01-01'), ...dayOf(tenant) },
  ];
  const [agentId = '', tenantId = ''] = dayLimits.map(({ id }) => id);
  await setDayLimit(harness.pool, agentId, agent);
  await setDayLimit(harness.pool, tenantId, tenant);
  const actors = await Promise.all(
    tasks.map(async (limits): Promise<Actor> => {
      const created = await harness.newTask(limitsOf(limits), scope);
      return { ...created, runId: 'run-1', step: 1, attempts: 0, limits: limitsOf(limits), begun: [] };
    }),
  );
  const budgets = [...dayLimits.map(({ id }) => id), ...actors.map(({ task }) => budgetId.task(task.taskId))];
  const heads = new Map<string, string>();
  const vanished: BegunAttempt[] = [];
  const checkBooks = async () => expect(await findInconsistencies(harness.pool, scope.tenant, budgets)).toEqual([]);

  /** Expects that a step has one answer, for every attempt and at any time. */
  const noteAnswer = (actor: Actor, { step, purpose }: OpenModelCall, { turn, text }: PaidCall) => {
    const key = `${actor.task.taskId}/${step}/${purpose}`;
    const answer = `${turn.head} ${text}`;
    expect(answer).toBe(heads.get(key) ?? answer);
    heads.set(key, answer);
    if (purpose === 'turn' && step === actor.step) {
      actor.step++;
      actor.attempts = 0;
    }
  };

  /** @returns the attempt, or undefined when it was refused or the step is already paid */
  const begin = async (actor: Actor, call: OpenModelCall, used: Usage): Promise<BegunAttempt | undefined> => {
    try {
      const paid = await beginReplacing(harness.ledger, actor.task, call);
      if (paid) return void noteAnswer(actor, call, paid);
      const begun = { actor, call, used };
      actor.begun.push(begun);
      return begun;
    } catch (error) {
      if (!(error instanceof AlfredError)) throw error;
      expect(['budget_exceeded', 'superseded']).toContain(error.code);
      const { details } = error;
      if (details?.reason === 'budget')
        expect(units(details.charged) + units(details.needed)).toBeGreaterThan(units(details.max));
      return undefined;
    }
  };

  const end = async ({ actor, call, used }: BegunAttempt, outcome: Exclude<AttemptOutcome, 'vanishes'>) => {
    const times = outcome === 'answers twice' || outcome === 'fails twice' ? [1, 2] : [1];
    if (outcome === 'answers' || outcome === 'answers twice') {
      // A turn without a result would call tools. This one calls none, which is enough here.
      const result = call.purpose === 'summary' ? { text: call.callId, citations: [] } : undefined;
      const answer = completedCall(call, actor.head, call.callId, { usage: used, result });
      for (const paid of await Promise.all(times.map(() => harness.ledger.settleModelCall(actor.task, answer))))
        noteAnswer(actor, call, paid);
    } else
      await Promise.all(times.map(() => harness.ledger.failModelCall(actor.task, failedCall(call, { usage: used }))));
  };

  const act = async (action: Action) => {
    if (action.do === 'write off') return void (await harness.ledger.writeOffLost());
    if (action.do === 'report late') {
      // A late report stays in the list, so some attempts report twice, with the same outcome.
      const late = vanished[action.vanishedIndex % Math.max(1, vanished.length)];
      if (!late) return undefined;
      late.lateOutcome ??= action.outcome;
      return end(late, late.lateOutcome);
    }
    const actor = actors[action.task % actors.length];
    if (!actor) return undefined;
    const { task, runId, step } = actor;
    if (action.do === 'reset') {
      actor.runId = newId();
    } else if (action.do === 'end') {
      await harness.tasks.adopt(task, { runId });
      await harness.tasks.close(task, { runId }, { status: 'failed', code: 'terminated', message: 'by hand' });
      await harness.pool.query(`update tasks set ended_at = ended_at - interval '1 h' where id = $1`, [task.taskId]);
    } else if (action.do === 'grant') {
      const more = times(actor.limits, action.times);
      const granted = await harness.tasks.grantBudget(task, { runId }, more);
      actor.limits = widest(actor.limits, granted);
    } else {
      const { purpose, worst: worstCase, used, outcome: outcome } = action;
      const call = openCall({ runId, step, attempt: ++actor.attempts, purpose, worstCase, dayLimits });
      const begun = await begin(actor, call, used);
      if (begun && outcome === 'vanishes') vanished.push(begun);
      else if (begun) await end(begun, outcome as Exclude<AttemptOutcome, 'vanishes'>);
    }
    return undefined;
  };

  for (const batch of batches) {
    const results = await Promise.allSettled([...batch.map(act), checkBooks()]);
    for (const result of results) if (result.status === 'rejected') throw result.reason;
    await checkBooks();
  }

  for (const actor of actors) expectWithin(actor.limits, actor.begun);
  const all = actors.flatMap(({ begun }) => begun);
  expectWithin(limitsOf(agent), all);
  expectWithin(limitsOf(tenant), all);
  const [first] = actors;
  if (first) await spendTheRest(harness, first, dayLimits);
  await checkBooks();
}

const dayOf = ({ usd, tokens, calls }: ScenarioLimits) => ({ maxUsd: usd, maxTokens: tokens, maxCalls: calls });

/** Money in the ledger's smallest unit, 1e-10 US dollars, so that it can be compared exactly. */
const units = (amount: number) => Math.round(amount * 1e10);

const times = ({ maxCostUsd, maxTokens }: BudgetLimits, factor: number): BudgetLimits => ({
  ...(maxCostUsd === undefined ? {} : { maxCostUsd: maxCostUsd * factor }),
  ...(maxTokens === undefined ? {} : { maxTokens: Math.ceil(maxTokens * factor) }),
});

const widest = (a: BudgetLimits, b: BudgetLimits): BudgetLimits => ({
  ...a,
  ...(a.maxCostUsd === undefined ? {} : { maxCostUsd: Math.max(a.maxCostUsd, b.maxCostUsd ?? 0) }),
  ...(a.maxTokens === undefined ? {} : { maxTokens: Math.max(a.maxTokens, b.maxTokens ?? 0) }),
});

/** Expects that the usage of all calls, reported or not, is within the limits. */
function expectWithin({ maxCostUsd = Infinity, maxTokens = Infinity }: BudgetLimits, begun: BegunAttempt[]) {
  const sum = (of: (used: Usage) => number) => begun.reduce((total, { used }) => total + of(used), 0);
  expect(sum(({ costUsd }) => units(costUsd))).toBeLessThanOrEqual(units(maxCostUsd));
  expect(sum(totalTokens)).toBeLessThanOrEqual(maxTokens);
}

/** Expects that exactly the remaining budget can be reserved, and nothing after that. */
async function spendTheRest({ ledger, pool }: LedgerHarness, { task, step }: Actor, dayLimits: DayLimit[]) {
  const { usd, tokens, calls } = await remainingIn(pool, [
    budgetId.task(task.taskId),
    ...dayLimits.map(({ id }) => id),
  ]);
  const callFields = { runId: newId(), step, dayLimits };
  const isLimited = { usd: usd < Infinity, tokens: tokens < Infinity };
  const rest = usageOf(isLimited.tokens ? tokens : 100, 0, isLimited.usd ? usd : 1);
  if (calls > 0)
    expect(await beginReplacing(ledger, task, openCall({ ...callFields, worstCase: rest }))).toBeUndefined();
  if (!isLimited.usd && !isLimited.tokens && calls > 1) return;
  const more = openCall({ ...callFields, attempt: 2, worstCase: usageOf(1, 0, 1e-10) });
  await expect(beginReplacing(ledger, task, more)).rejects.toMatchObject({ code: 'budget_exceeded' });
}
