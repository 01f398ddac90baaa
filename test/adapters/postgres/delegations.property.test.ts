import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createDelegations } from '../../../adapters/postgres/delegations/delegations.ts';
import type { Delegations } from '../../../contract/ports/index.ts';
import { AlfredError } from '../../../contract/errors.ts';
import { budgetId } from '../../../contract/ids.ts';
import { noUsage, type BudgetLimits, type TaskRef } from '../../../contract/references.ts';
import { enforceLimits } from '../../support/ledger/ledger-invariants.ts';
import {
  completedCall,
  createLedgerHarness,
  openCall,
  run,
  usageOf,
  type LedgerHarness,
} from '../../support/ledger/ledger-harness.ts';

/** The number of random trees. ALFRED_TEST_DELEGATION_TREES=10000 searches longer. */
const count = Number(process.env.ALFRED_TEST_DELEGATION_TREES || 200);

let harness: LedgerHarness;
let delegations: Delegations;
beforeAll(async () => {
  harness = await createLedgerHarness();
  delegations = createDelegations(harness.db);
  await enforceLimits(harness.pool);
});
afterAll(() => harness?.close());

const pick = fc.nat(1_000);
const operation = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('spend' as const),
      pick,
      cents: fc.integer({ min: 1, max: 5 }),
      used: fc.nat(100),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('delegate' as const),
      pick,
      cents: fc.option(fc.integer({ min: 1, max: 40 })),
      among: fc.integer({ min: 1, max: 4 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('end' as const), pick }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('grant' as const), cents: fc.nat(30) }) },
);
type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;
const limits = fc.record({
  maxCostUsd: fc.integer({ min: 3, max: 30 }).map((cents) => cents / 100),
  maxTokens: fc.option(fc.integer({ min: 1_000, max: 60_000 }), { nil: undefined }),
  maxModelCalls: fc.option(fc.integer({ min: 2, max: 8 }), { nil: undefined }),
});

type Node = {
  task: TaskRef;
  head: string;
  parent?: Node;
  callId: string;
  open: number;
  hasEnded: boolean;
  step: number;
  spending: Promise<void>;
};

const ignoreRefusal = (error: unknown) => {
  if (!(error instanceof AlfredError) || !['budget_exceeded', 'superseded'].includes(error.code)) throw error;
};

/** Tasks of one tree, and what a random sequence of operations makes of them. */
async function growTree(budget: BudgetLimits) {
  const { task, head } = await harness.newTask(budget);
  const nodes: Node[] = [{ task, head, callId: '', open: 0, hasEnded: false, step: 0, spending: Promise.resolve() }];
  let requests = 0;
  const live = (among: number) => {
    const alive = nodes.filter(({ hasEnded }) => !hasEnded);
    return alive[among % alive.length];
  };
  const spend = async (node: Node, cents: number, used: number) => {
    const call = openCall({ step: ++node.step, worstCase: usageOf(1_000, cents * 50, cents / 100) });
    await harness.ledger.beginModelCall(node.task, call);
    const usage = usageOf(10 * used, Math.floor((cents * 50 * used) / 100), (cents * used) / 10_000);
    // One in ten stays open: its worker is gone.
    if (used < 90)
      await harness.ledger.settleModelCall(
        node.task,
        completedCall(call, node.head, 'A', { usage, result: undefined }),
      );
  };
  const delegate = async (node: Node, cents: number | null, among: number) => {
    const callId = `c${++requests}`;
    const made = {
      step: ++node.step,
      callId,
      agent: `level-${depthOf(node) + 1}`,
      input: { text: `request ${requests}` },
      asked: cents === null ? {} : { maxCostUsd: cents / 100 },
      agentBudget: {},
      among,
    };
    const begun = await delegations.begin(node.task, run, made);
    if ('refused' in begun) return false;
    // A repeated attempt finds the child and charges nothing.
    expect(await delegations.begin(node.task, run, made)).toEqual(begun);
    await harness.tasks.start(begun.child, run, { model: 'scripted:x' });
    const { head: first, ...child } = begun.child;
    nodes.push({
      task: child,
      head: first,
      parent: node,
      callId,
      open: 0,
      hasEnded: false,
      step: 0,
      spending: Promise.resolve(),
    });
    return true;
  };
  const end = async (node: Node) => {
    if (node.open > 0 || !node.parent || node.hasEnded) return;
    node.hasEnded = true;
    await harness.ledger.writeOffOpenCalls(node.task);
    await harness.tasks.close(node.task, run, { status: 'cancelled', reason: 'test' });
    const { taskId, agent } = node.task;
    const ended = { taskId, agent, status: 'cancelled' as const, error: null, usage: { modelCalls: 0, ...noUsage } };
    const call = { step: 1, callId: node.callId };
    // A repeat gives nothing back twice.
    await Promise.all([1, 2].map(() => delegations.settle((node.parent as Node).task, call, ended)));
    node.parent.open--;
  };
  return {
    nodes,
    async apply(made: Operation) {
      if (made.kind === 'grant') {
        const { maxCostUsd = 0 } = (await harness.tasks.get(task, task.taskId))?.budget ?? {};
        await harness.tasks.grantBudget(task, run, { maxCostUsd: maxCostUsd + made.cents / 100 });
        return;
      }
      const node = live(made.pick);
      if (!node) return;
      if (made.kind === 'end') return end(node);
      // A task ends when its calls and its children have ended.
      node.open++;
      const isOpen =
        made.kind === 'delegate' && (await delegate(node, made.cents, made.among).catch(ignoreRefusal)) === true;
      if (made.kind === 'spend') {
        // The steps of a task follow each other.
        node.spending = node.spending.then(() => spend(node, made.cents, made.used).catch(ignoreRefusal));
        await node.spending;
      }
      if (!isOpen) node.open--;
    },
    async endAll() {
      for (const node of nodes.toReversed()) await end(node);
      await harness.ledger.writeOffOpenCalls(task);
    },
  };
}

const depthOf = (node: Node): number => (node.parent ? depthOf(node.parent) + 1 : 0);

/** What all tasks of a tree have cost, calls that never ended at their worst case. */
async function costOf(taskIds: string[]): Promise<{ usd: number; tokens: number; calls: number }> {
  const { rows } = await harness.pool.query<{ usd: number; tokens: number; calls: number }>(
    `select coalesce(sum(cost_usd), 0)::numeric(20, 10) as usd, coalesce(sum(input_tokens + output_tokens), 0)::bigint as tokens,
       count(*) filter (where outcome in ('open', 'lost', 'completed', 'wasted') or input_tokens + output_tokens > 0) as calls
     from model_calls where task_id = any($1)`,
    [taskIds],
  );
  return rows[0] ?? { usd: 0, tokens: 0, calls: 0 };
}

test(
  `in ${count} random trees of tasks the children together never pass the limits of their parent, and get nothing lost`,
  async () => {
    await fc.assert(
      fc.asyncProperty(
        limits,
        fc.array(fc.array(operation, { minLength: 1, maxLength: 3 }), { minLength: 4, maxLength: 16 }),
        async (budget, rounds) => {
          const tree = await growTree(budget);
          const root = (tree.nodes[0] as Node).task;
          const ids = () => tree.nodes.map(({ task }) => task.taskId);
          // The operations of a round are made at the same time. The database refuses a write that passes a limit.
          for (const round of rounds) {
            await Promise.all(round.map((made) => tree.apply(made)));
            const { budget: now } = (await harness.tasks.get(root, root.taskId)) ?? {};
            const spent = await costOf(ids());
            expect(spent.usd).toBeLessThanOrEqual(now?.maxCostUsd ?? Infinity);
            expect(spent.tokens).toBeLessThanOrEqual(now?.maxTokens ?? Infinity);
            expect(spent.calls).toBeLessThanOrEqual(now?.maxModelCalls ?? Infinity);
          }
          await tree.endAll();
          // Nothing is charged to the first task but what the whole tree has cost.
          expect(await harness.budgetOf(budgetId.task(root.taskId))).toEqual(await costOf(ids()));
        },
      ),
      { numRuns: count },
    );
  },
  120_000 + count * 400,
);
