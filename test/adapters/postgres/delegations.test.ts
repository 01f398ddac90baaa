import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createDelegations } from '../../../adapters/postgres/delegations/delegations.ts';
import type { Delegations, NewDelegation } from '../../../contract/ports/index.ts';
import { noUsage, type TaskRef } from '../../../contract/references.ts';
import { delegationLimits } from '../../../contract/rules/delegation-limits.ts';
import { createLedgerHarness, run, type LedgerHarness } from '../../support/ledger/ledger-harness.ts';

let harness: LedgerHarness;
let delegations: Delegations;
beforeAll(async () => {
  harness = await createLedgerHarness();
  delegations = createDelegations(harness.db);
});
afterAll(() => harness?.close());

let calls = 0;
const newDelegation = (change: Partial<NewDelegation> = {}): NewDelegation => ({
  step: 1,
  callId: `c${++calls}`,
  agent: 'helper',
  input: { text: `request ${calls}` },
  asked: {},
  agentBudget: {},
  among: 1,
  ...change,
});

/** Delegates and starts the child. @returns the child, or why it is refused */
async function delegate(parent: TaskRef, change: Partial<NewDelegation> = {}) {
  const made = newDelegation(change);
  const begun = await delegations.begin(parent, run, made);
  if ('refused' in begun) return begun.refused;
  const { head: _head, ...child } = begun.child;
  await harness.tasks.start(child, run, { model: 'scripted:x' });
  return { child, call: { step: made.step, callId: made.callId } };
}
const begin = async (parent: TaskRef, change: Partial<NewDelegation> = {}) => {
  const begun = await delegate(parent, change);
  if (typeof begun === 'string') throw new Error(begun);
  return begun;
};

async function end(parent: TaskRef, { child, call }: Awaited<ReturnType<typeof begin>>) {
  await harness.tasks.close(child, run, { status: 'failed', code: 'step_limit', message: 'No answer.' });
  const { taskId, agent } = child;
  const usage = { modelCalls: 0, ...noUsage };
  await delegations.settle(parent, call, { taskId, agent, status: 'failed', error: null, usage });
}

test('a task is delegated three levels deep, and no deeper', async () => {
  let { task: parent } = await harness.newTask();
  for (let depth = 1; depth <= delegationLimits.depth; depth++)
    ({ child: parent } = await begin(parent, { agent: `level-${depth}` }));
  expect(await delegate(parent, { agent: 'deeper' })).toMatch(/3 levels deep/);
});

test('eight tasks are open at once, also when all are begun at the same moment', async () => {
  const { task } = await harness.newTask();
  const begun = await Promise.all(Array.from({ length: 10 }, () => delegate(task)));
  const refused = begun.filter((one) => typeof one === 'string');
  expect(refused).toEqual(Array.from({ length: 2 }, () => expect.stringMatching(/^8 delegated tasks/)));
  const [open] = begun.filter((one) => typeof one !== 'string');
  if (!open) throw new Error('none is open');
  await end(task, open);
  expect(await delegate(task)).toMatchObject({ child: { agent: 'helper' } });
});

test('fifty tasks stand below the first one, wherever in its tree', async () => {
  const { task } = await harness.newTask();
  const { child: below } = await begin(task, { agent: 'planner' });
  for (let n = 1; n < delegationLimits.total; n++) await end(below, await begin(below));
  expect(await delegate(below)).toMatch(/^50 tasks/);
  expect(await delegate(task)).toMatch(/^50 tasks/);
});

test('a request that has failed is asked once more, and not a third time', async () => {
  const { task } = await harness.newTask();
  const again = { input: { text: 'the same' } };
  await end(task, await begin(task, again));
  await end(task, await begin(task, again));
  expect(await delegate(task, again)).toMatch(/failed twice/);
  // Another request comes between them.
  await end(task, await begin(task));
  await begin(task, again);
});

test('a child has the rights of its parent, and nothing is delegated by a task that is being cancelled', async () => {
  const principal = {
    tenant: 'local',
    subject: 'ann',
    kind: 'person' as const,
    roles: ['clerk'],
    groups: [],
    scopes: ['tasks:write'],
    via: 'oidc' as const,
  };
  const created = await harness.tasks.create(
    principal,
    { agent: 'knowledge', input: { text: 'Why?' }, priority: 2 },
    {},
  );
  const task = { tenant: 'local', subject: 'ann', taskId: created.id, agent: 'knowledge' };
  await harness.tasks.start(task, run, { model: 'scripted:x' });
  const { child } = await begin(task);
  const { rows } = await harness.pool.query(
    'select subject, roles, principal, priority, ancestors from tasks where id = $1',
    [child.taskId],
  );
  const { kind, roles, scopes, via } = principal;
  expect(rows).toEqual([
    { subject: 'ann', roles, principal: { kind, roles, scopes, via }, priority: 2, ancestors: [task.taskId] },
  ]);
  await harness.tasks.recordCancelRequest(task, task.taskId, {});
  expect(await delegate(task)).toMatch(/being cancelled/);
});
