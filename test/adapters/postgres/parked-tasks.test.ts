import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createModelGate } from '../../../adapters/postgres/ledger/model-gate.ts';
import { createParkedTasks } from '../../../adapters/postgres/tasks/parked-tasks.ts';
import { createAdapters, type Adapters } from '../../../wiring/adapters.ts';
import type { ModelGate, ParkedTasks } from '../../../contract/ports/index.ts';
import type { TaskRef } from '../../../contract/references.ts';
import { createTestEnvironment, type TestEnvironment } from '../../support/environment/environment.ts';

let env: TestEnvironment;
let adapters: Adapters;
let parked: ParkedTasks;
let gate: ModelGate;
let model: string;
let number = 0;
/** The short names of tasks, by id. */
const names = new Map<string, string>();

beforeAll(async () => {
  env = await createTestEnvironment();
  adapters = createAdapters(env);
  parked = createParkedTasks(env.postgres.db);
  gate = createModelGate(env.postgres.db, { failures: 1, probeMs: 60_000 });
});
beforeEach(() => {
  model = `scripted:model-${++number}`;
});
afterAll(async () => {
  await adapters?.close();
  await env?.close();
});

async function createTask(name: string, tenant: string): Promise<TaskRef> {
  const scope = { tenant, subject: 's' };
  const { id } = await adapters.tasks.create(scope, { agent: 'knowledge', input: { text: 'Why?' } }, {});
  names.set(id, name);
  return { ...scope, taskId: id, agent: 'knowledge' };
}
/** Creates and parks tasks in this order: `a1 a2 b1` are two tasks of tenant a and one of tenant b. */
async function park(list: string): Promise<TaskRef[]> {
  const tasks = [];
  for (const name of list.split(' ')) {
    const ref = await createTask(name, `tenant-${name[0]}`);
    await parked.park(ref, model);
    tasks.push(ref);
  }
  return tasks;
}
const release = async (limit: number) => {
  const ids = await parked.release(model, limit);
  return ids.map((id) => names.get(id)).join(' ');
};
/** Unparks released tasks, as each does when it goes on. */
const unparkReleased = async (tasks: TaskRef[], released: string) => {
  for (const { taskId } of tasks)
    if (released.split(' ').includes(names.get(taskId) ?? '')) await parked.unpark(taskId);
};
const advanceClock = (seconds: number) =>
  env.postgres.pool.query(`update parked_tasks set released_at = released_at - $2 * interval '1 s' where model = $1`, [
    model,
    seconds,
  ]);

describe('tasks that wait for a model', () => {
  test('are released tenant by tenant, the oldest of a tenant first', async () => {
    await park('a1 a2 a3 a4 b1 b2 c1');
    expect(await release(5)).toBe('a1 b1 c1 a2 b2');
    expect(await release(5)).toBe('a3 a4');
  });

  test('are released in the same order one at a time, also when earlier ones have been unparked', async () => {
    const tasks = await park('a1 a2 a3 b1 b2 c1');
    const order = [];
    for (let i = 0; i < 6; i++) {
      const next = await release(1);
      await unparkReleased(tasks, next);
      order.push(next);
    }
    expect(order.join(' ')).toBe('a1 b1 c1 a2 b2 a3');
    expect(await parked.count(model)).toBe(0);
  });

  test('do not wait behind a tenant with many tasks, although they came later', async () => {
    const tasks = await park('a1 a2 a3 a4');
    await unparkReleased(tasks, await release(1));
    await park('b1');
    expect(await release(2)).toBe('b1 a2');
  });

  test('stay in the queue until they are unparked, and are released again when they do not react', async () => {
    const tasks = await park('a1 a2');
    expect(await release(2)).toBe('a1 a2');
    expect(await release(2)).toBe('');
    expect(await parked.count(model)).toBe(2);
    await unparkReleased(tasks, 'a1');
    await advanceClock(31);
    expect(await release(2)).toBe('a2');
    expect(await parked.count(model)).toBe(1);
  });

  test('are released once by several concurrent callers', async () => {
    await park('a1 a2 a3 b1 b2 b3');
    const released = (await Promise.all(Array.from({ length: 8 }, () => parked.release(model, 3)))).flat();
    expect(new Set(released).size).toBe(released.length);
  });

  test('wait no longer once they have ended', async () => {
    const [first, second] = await park('a1 a2 a3');
    await adapters.tasks.close(first as TaskRef, undefined, { status: 'cancelled', reason: 'test' });
    expect(await parked.count(model)).toBe(2);
    expect(await release(1)).toBe('a2');
    await adapters.tasks.close(second as TaskRef, undefined, { status: 'cancelled', reason: 'test' });
    expect(await release(5)).toBe('a3');
    const { rows } = await env.postgres.pool.query('select from parked_tasks where model = $1', [model]);
    expect(rows).toHaveLength(1);
  });

  test('wait for their own model only', async () => {
    await park('a1');
    const mine = model;
    model = `${mine}-other`;
    await park('a2');
    expect(await parked.count(mine)).toBe(1);
    expect(await release(5)).toBe('a2');
  });

  test('may be parked twice, and be unparked without having been parked', async () => {
    const [ref] = await park('a1 a2');
    await parked.park(ref as TaskRef, model);
    expect(await parked.count(model)).toBe(2);
    expect(await release(1)).toBe('a1');
    // A repeat of the first call does not undo the release.
    await parked.park(ref as TaskRef, model);
    expect(await release(5)).toBe('a2');
    await parked.unpark((await createTask('a3', 'tenant-a')).taskId);
  });
});

describe('probes', () => {
  test('alternate between tasks, so that a task that breaks the model every time does not block the others', async () => {
    await gate.recordFailure(model);
    const tasks = await park('a1 a2 a3');
    const order = [];
    for (let i = 0; i < 5; i++) {
      const next = await release(1);
      order.push(next);
      await unparkReleased(tasks, next);
      // The probe fails, and its task parks again.
      for (const ref of tasks) if (names.get(ref.taskId) === next) await parked.park(ref, model);
    }
    expect(order.join(' ')).toBe('a1 a2 a3 a1 a2');
  });

  test('do not cost a task its place in the queue', async () => {
    await gate.recordFailure(model);
    const tasks = await park('a1 a2 a3');
    await unparkReleased(tasks, await release(1));
    await parked.park(tasks[0] as TaskRef, model);
    await gate.recordSuccess(model, { tokens: 1, estimated: 1 });
    expect(await release(3)).toBe('a1 a2 a3');
  });

  test('of an earlier outage do not count', async () => {
    await gate.recordFailure(model);
    const tasks = await park('a1 a2');
    await unparkReleased(tasks, await release(2));
    await gate.recordSuccess(model, { tokens: 1, estimated: 1 });
    await gate.recordFailure(model);
    await parked.park(tasks[1] as TaskRef, model);
    await parked.park(tasks[0] as TaskRef, model);
    expect(await release(2)).toBe('a2 a1');
  });

  test('are due when the gate says so', async () => {
    expect(await parked.circuit(model)).toEqual({ open: false, probeInMs: 0, releasedMsAgo: Infinity, parked: 0 });
    await park('a1 a2');
    await gate.recordFailure(model);
    const waiting = await parked.circuit(model);
    expect(waiting).toMatchObject({ open: true, parked: 2 });
    expect(waiting.probeInMs).toBeGreaterThan(0);
    await env.postgres.pool.query(`update model_gates set probe_at = now() - interval '5 s' where model = $1`, [model]);
    await release(1);
    const due = await parked.circuit(model);
    expect(due.probeInMs).toBeLessThanOrEqual(-5_000);
    expect(due.releasedMsAgo).toBeLessThan(-due.probeInMs);
  });
});
