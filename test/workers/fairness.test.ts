import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { taskWorkflowId } from '../../contract/ids.ts';
import { createTaskHarness, type TaskHarness } from '../support/tasks/task-harness.ts';
import { until } from '../support/until.ts';

let harness: TaskHarness;
/** One activity slot, so tasks run in the order in which they leave the queue. */
beforeAll(async () => {
  harness = await createTaskHarness({ ALFRED_MAX_CONCURRENT_ACTIVITIES: '1' });
});
afterAll(() => harness?.close());

/**
 * Occupies the slot until all tasks are queued, then frees it.
 *
 * @returns the names of the tasks, in the order they ran
 */
async function orderOf(queue: { tenant: string; name: string; priority?: number }[]): Promise<string[]> {
  const blocked = Promise.withResolvers<void>();
  const occupied = Promise.withResolvers<void>();
  const order: string[] = [];
  harness.script(({ messages }) => {
    const [first] = messages;
    const name = first?.role === 'user' ? first.text : '';
    if (name !== 'first') order.push(name);
    else occupied.resolve();
    return { text: ['Done.'], ...(name === 'first' ? { until: () => blocked.promise } : {}) };
  });
  const start = async ({ tenant, name, priority }: (typeof queue)[number]) => {
    const scope = { tenant, subject: 'somebody' };
    const { id, head } = await harness.tasks.create(scope, { agent: 'knowledge', input: { text: name } }, {});
    await harness.control.tasks.start({ ...scope, taskId: id, agent: 'knowledge', head, priority });
    return harness.client.workflow.getHandle(taskWorkflowId(id));
  };
  const first = await start({ tenant: 'a', name: 'first' });
  await occupied.promise;
  const handles = [];
  for (const task of queue) {
    const handle = await start(task);
    // Start the next task when the model call of this one is queued.
    await until(
      'an activity is pending',
      async () => (await handle.describe()).raw.pendingActivities?.length || false,
      {
        everyMs: 1,
      },
    );
    handles.push(handle);
  }
  blocked.resolve();
  await Promise.all([first, ...handles].map((handle) => handle.result()));
  return order;
}

const tasksOf = (tenant: string, count: number) =>
  Array.from({ length: count }, (_, index) => ({ tenant, name: `${tenant}${index + 1}` }));

test('a tenant with a few tasks does not wait behind one with many', async () => {
  const order = await orderOf([...tasksOf('a', 40), ...tasksOf('b', 5)]);
  expect(order).toHaveLength(45);
  const lastOfB = order.findLastIndex((name) => name.startsWith('b'));
  const lastOfA = order.findLastIndex((name) => name.startsWith('a'));
  // Both tenants take turns: five tasks of each, and some that the server had already dispatched.
  expect(lastOfB).toBeLessThan(20);
  expect(lastOfA).toBe(44);
});

test('a task of priority 1 runs before queued ones, a task of priority 5 after them', async () => {
  const order = await orderOf([
    { tenant: 'a', name: 'later', priority: 5 },
    ...tasksOf('a', 10),
    { tenant: 'a', name: 'urgent', priority: 1 },
  ]);
  expect(order.indexOf('urgent')).toBeLessThan(3);
  expect(order.at(-1)).toBe('later');
});
