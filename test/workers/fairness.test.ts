import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { taskWorkflowId } from '../../contract/ids.ts';
import { createTaskHarness, type TaskHarness } from '../support/tasks/task-harness.ts';

let harness: TaskHarness;
/** One slot for everybody, so that the order in which tasks leave the queue is the order in which they are worked on. */
beforeAll(async () => {
  harness = await createTaskHarness({ ALFRED_MAX_CONCURRENT_ACTIVITIES: '1' });
});
afterAll(() => harness?.close());

/** Holds the slot until a queue has formed, then lets it go. @returns the names of the tasks in the order they were worked on */
async function orderOf(queue: { tenant: string; name: string; priority?: number }[]): Promise<string[]> {
  const held = Promise.withResolvers<void>();
  const occupied = Promise.withResolvers<void>();
  const order: string[] = [];
  harness.script(({ messages }) => {
    const [first] = messages;
    const name = first?.role === 'user' ? first.text : '';
    if (name !== 'first') order.push(name);
    else occupied.resolve();
    return { text: ['Done.'], ...(name === 'first' ? { until: () => held.promise } : {}) };
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
    // Its model call stands in the queue before the next task comes.
    while (!(await handle.describe()).raw.pendingActivities?.length) await new Promise(setImmediate);
    handles.push(handle);
  }
  held.resolve();
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
  // In turns: five of each tenant, and what the server had ready before.
  expect(lastOfB).toBeLessThan(20);
  expect(lastOfA).toBe(44);
});

test('a task of priority 1 overtakes what waits, one of priority 5 lets it pass', async () => {
  const order = await orderOf([
    { tenant: 'a', name: 'later', priority: 5 },
    ...tasksOf('a', 10),
    { tenant: 'a', name: 'urgent', priority: 1 },
  ]);
  expect(order.indexOf('urgent')).toBeLessThan(3);
  expect(order.at(-1)).toBe('later');
});
