import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createEffects } from '../../../adapters/postgres/ledger/effects.ts';
import { countTasks } from '../../../adapters/postgres/tenants/tenant-use.ts';
import { createDelegations } from '../../../adapters/postgres/delegations/delegations.ts';
import type { Delegations, NewDelegation } from '../../../contract/ports/index.ts';
import { budgetId } from '../../../contract/ids.ts';
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

test('a child that no run has begun is not begun any more when its parent has ended', async () => {
  const { task } = await harness.newTask();
  const begun = await delegations.begin(task, run, newDelegation());
  if ('refused' in begun) throw new Error(begun.refused);
  const { taskId } = begun.child;
  expect(await harness.tasks.listOpenBelow(task)).toMatchObject([{ taskId, agent: 'helper' }]);
  expect(await harness.tasks.listStates([taskId])).toMatchObject([{ isAbandoned: false }]);
  await harness.tasks.close(task, run, { status: 'failed', code: 'terminated', message: 'test' });
  expect(await harness.tasks.listStates([taskId])).toMatchObject([{ isAbandoned: true, isCancelled: true }]);
  await harness.pool.query("update tasks set updated_at = now() - interval '2 minutes' where id = $1", [taskId]);
  expect(await harness.tasks.reconcile(taskId, { status: 'not_found' })).toEqual({ found: 'abandoned' });
  expect(await harness.tasks.get(task, taskId)).toMatchObject({ status: 'cancelled' });
});

test('the cancellation of a task holds for those below it: their calls are wanted no more', async () => {
  const { task } = await harness.newTask();
  const { child } = await begin(task);
  const call = await harness.begin(child);
  expect(await harness.ledger.stateOfCall(child, call.callId)).toBe('open');
  await harness.tasks.recordCancelRequest(task, task.taskId, {});
  expect(await harness.ledger.stateOfCall(child, call.callId)).toBe('ended');
  expect(await delegate(child)).toMatch(/being cancelled/);
});

test('an undo of an ended task reaches a child that ends afterwards, however it ends', async () => {
  const effects = createEffects(harness.db);
  const { task } = await harness.newTask();
  const { child } = await begin(task);
  const call = { step: 1, callId: 'w', tool: 'write' };
  await harness.ledger.beginToolCall(child, { ...run, ...call, arguments: {}, effect: 'write' });
  await effects.claimSend(child, run, call, false);
  await harness.tasks.close(task, run, { status: 'failed', code: 'terminated', message: 'test' });
  expect(await effects.requestUndo(task, task.taskId)).toMatchObject({
    undone: [],
    ending: [{ taskId: child.taskId }],
  });
  await harness.tasks.close(child, run, { status: 'failed', code: 'step_limit', message: 'No answer.' });
  expect(await effects.markLateUndo(child)).toBe(true);
  expect(await effects.listBegunUndos(child)).toEqual([{ step: 1, callId: 'w' }]);
});

test('waits of several tasks below count once', async () => {
  const { task } = await harness.newTask();
  const [a, b] = [await begin(task), await begin(task)];
  expect(await delegations.readWaits(task)).toEqual({ ms: 0, isWaiting: false });
  for (const { child } of [a, b]) {
    await harness.tasks.markWaiting(child, run, { reason: 'tenant', because: 'test' });
    await harness.pool.query(
      "update task_events set at = now() - interval '60 s' where task_id = $1 and type = 'task.waiting'",
      [child.taskId],
    );
  }
  await harness.tasks.markResumed(a.child, run, 'test');
  const { ms, isWaiting } = await delegations.readWaits(task);
  expect(isWaiting).toBe(true);
  expect(Math.round(ms / 10_000)).toBe(6);
  // Waits before a reset are no time of the run after it.
  const since = await delegations.readWaits(task, Date.now() - 20_000);
  expect(Math.round(since.ms / 10_000)).toBe(2);
});

test('what a child leaves unspent that ends after its parent was settled belongs to the task above', async () => {
  const { task } = await harness.newTask({ maxModelCalls: 100 });
  const a = await begin(task, { agent: 'a', asked: { maxModelCalls: 60 } });
  const b = await begin(a.child, { agent: 'b', asked: { maxModelCalls: 40 } });
  const c = await begin(b.child, { agent: 'c', asked: { maxModelCalls: 30 } });
  const budgets = async () => {
    const ids = [task, a.child, b.child, c.child].map(({ taskId }) => budgetId.task(taskId));
    const { rows } = await harness.pool.query(
      'select calls, max_calls from budgets join unnest($1::text[]) with ordinality as i (id, n) using (id) order by n',
      [ids],
    );
    return rows.map((row: { calls: number; max_calls: number }) => [row.calls, row.max_calls]);
  };
  await end(a.child, b);
  await end(task, a);
  expect(await budgets()).toEqual([
    [30, 100],
    [30, 30],
    [30, 30],
    [0, 30],
  ]);
  await Promise.all([end(b.child, c), end(b.child, c)]);
  expect(await budgets()).toEqual([
    [0, 100],
    [0, 0],
    [0, 0],
    [0, 0],
  ]);
});

test('what a task delegates is no task of the limits of its tenant', async () => {
  const scope = { tenant: 'counted', subject: 'ann' };
  const { task } = await harness.newTask({}, scope);
  await begin(task);
  expect(await countTasks(harness.db, 'counted')).toMatchObject({ tasksAtOnce: 1, tasksToday: 1 });
});
