import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Worker } from '@temporalio/worker';
import { temporal } from '@temporalio/proto';
import { taskWorkflowId } from '../../contract/ids.ts';
import { workflowBundle } from '../../workers/bundle.ts';
import { createTaskHarness, type TaskHarness } from '../support/task-harness.ts';

const steps = 100;
const resultBytes = 64 * 1024;

let house: TaskHarness;
beforeAll(async () => void (house = await createTaskHarness({ ALFRED_MODELS: '{"scripted:test": {"output": 200}}' })));
afterAll(() => house?.close());

test('100 steps with 64 KiB tool results keep the whole history under 400 KB, and it replays', async () => {
  house.tool('read', async (input) => ({ output: { input, text: 'x'.repeat(resultBytes) }, summary: 'read' }));
  house.script((_, call) =>
    call <= steps ? { calls: [{ tool: 'read', arguments: { call } }] } : { text: ['Done.'] },
  );
  const { id, handle } = await house.start();
  await handle.result();

  const history = await handle.fetchHistory();
  const bytes = temporal.api.history.v1.History.encode(history).finish().length;
  console.log(
    `${steps} steps: ${history.events?.length} events, ${bytes} bytes of history, ${Math.round(bytes / steps)} a step`,
  );
  expect(bytes).toBeLessThan(400_000);
  expect((await house.row(id)).usage.modelCalls).toBe(steps + 1);

  await Worker.runReplayHistory(
    { workflowBundle: await workflowBundle(house.config, house.log) },
    history,
    taskWorkflowId(id),
  );
}, 120_000);
