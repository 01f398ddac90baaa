import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Worker } from '@temporalio/worker';
import { temporal } from '@temporalio/proto';
import { taskWorkflowId } from '../../contract/ids.ts';
import { budgetUpdate, resumeSignal } from '../../workflows/signals-and-updates.ts';
import { until } from '../support/until.ts';
import { workflowBundle } from '../../workers/bundle.ts';
import { createTaskHarness, type TaskHarness } from '../support/tasks/task-harness.ts';

const steps = 150;
const resultBytes = 64 * 1024;

let harness: TaskHarness;
beforeAll(async () => {
  harness = await createTaskHarness({ ALFRED_MODELS: '{"scripted:test": {"output": 200}}' });
});
afterAll(() => harness?.close());

test('150 steps with 64 KiB tool results take two runs with 2 KB of history per step, and both replay', async () => {
  harness.tool('read', async (input) => ({ output: { input, text: 'x'.repeat(resultBytes) }, summary: 'read' }));
  harness.script((_, call) =>
    call <= steps ? { calls: [{ tool: 'read', arguments: { call } }] } : { text: ['Done.'] },
  );
  const { id, handle } = await harness.start();
  const { runId: first } = await handle.describe();
  await handle.result();
  const { runId: last } = await harness.client.workflow.getHandle(taskWorkflowId(id)).describe();
  expect(last).not.toBe(first);

  let bytes = 0;
  for (const runId of [first, last]) {
    const history = await harness.client.workflow.getHandle(taskWorkflowId(id), runId).fetchHistory();
    bytes += temporal.api.history.v1.History.encode(history).finish().length;
    await Worker.runReplayHistory(
      { workflowBundle: await workflowBundle(harness.config, harness.log) },
      history,
      taskWorkflowId(id),
    );
  }
  console.log(`${steps} steps: ${bytes} bytes of history, ${Math.round(bytes / steps)} a step`);
  expect(bytes / steps).toBeLessThan(2_300);

  const row = await harness.row(id);
  expect(row).toMatchObject({ status: 'completed', result: { text: 'Done.' } });
  expect(row.usage.modelCalls).toBe(steps + 1);
  const events = await harness.events.read(harness.scope, id, 0, 1_000);
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, i) => i + 1));
  // A continue-as-new shows in no event.
  expect(events.filter(({ type }) => type === 'task.started' || type === 'task.resumed')).toHaveLength(1);
});

const isToolDone = async (id: string) =>
  (await harness.events.read(harness.scope, id, 0, 100)).some(({ type }) => type === 'tool.completed');

test('a cancel that arrives while updates are awaited before the next run is kept', async () => {
  const released = Promise.withResolvers<void>();
  const grantBudget = harness.tasks.grantBudget.bind(harness.tasks);
  harness.tasks.grantBudget = async (...args) => {
    await released.promise;
    return grantBudget(...args);
  };
  const first = Promise.withResolvers<void>();
  harness.tool('read', async (input) => ({ output: { input }, summary: 'read' }));
  const requests = harness.script((_, call) => ({
    calls: [{ tool: 'read', arguments: { call } }],
    until: () => (call === 1 ? first.promise : Promise.resolve()),
  }));
  const { id, handle } = await harness.start({ budget: { maxModelCalls: 100 } });
  await until('the first call is under way', () => requests.length > 0);
  const granted = handle.executeUpdate(budgetUpdate, { args: [{ maxModelCalls: 200 }] }).catch(() => {});
  // Signals without a meaning make the history long.
  for (let sent = 0; sent < 1_500; sent += 50)
    await Promise.all(Array.from({ length: 50 }, () => handle.signal(resumeSignal)));
  first.resolve();
  await until(
    'the run ends as soon as the grant is written',
    async () => {
      const { raw } = await handle.describe();
      const pending = raw.pendingActivities?.map(({ activityType }) => activityType?.name).join();
      return (await isToolDone(id)) && { pending };
    },
    { accept: ({ pending }) => pending === 'grantBudget', withinMs: 90_000 },
  );
  expect(requests).toHaveLength(1);
  await handle.cancel();
  await until('the task has seen the cancel', async () => {
    const { events } = await handle.fetchHistory();
    const cancelled = events?.findIndex((event) => event.workflowExecutionCancelRequestedEventAttributes) ?? -1;
    return cancelled > 0 && events?.slice(cancelled).some((event) => event.workflowTaskCompletedEventAttributes);
  });
  released.resolve();
  expect((await harness.followToEnd(id)).at(-1)?.type).toBe('task.cancelled');
  await granted;
  harness.tasks.grantBudget = grantBudget;
});

test('a task can be cancelled in its second run', async () => {
  harness.tool('read', async (input) => ({ output: { input }, summary: 'read' }));
  harness.script((_, call) =>
    call <= 130
      ? { calls: [{ tool: 'read', arguments: { call } }] }
      : {
          until: (signal) =>
            new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
        },
  );
  const { id } = await harness.start();
  for await (const page of harness.events.follow(harness.scope, id, 0, AbortSignal.timeout(60_000)))
    if (page.some((event) => event.type === 'model.started' && event.data.step === 131)) break;
  await harness.client.workflow.getHandle(taskWorkflowId(id)).cancel();
  expect((await harness.followToEnd(id)).at(-1)?.type).toBe('task.cancelled');
});
