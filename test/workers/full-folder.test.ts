import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { agentQueue } from '../../contract/ids.ts';
import { createMetrics } from '../../runtime/metrics.ts';
import { startWorkers } from '../../workers/compose.ts';
import { createAdapterEnvironment, type AdapterEnvironment } from '../support/environment/adapter-environment.ts';
import { createScriptedModel } from '../support/providers/scripted-model.ts';
import { scope, startTask } from '../support/tasks/tasks.ts';
import { until } from '../support/until.ts';

let env: AdapterEnvironment;
beforeAll(async () => {
  env = await createAdapterEnvironment({ ALFRED_MODEL: 'scripted:test', ALFRED_SHUTDOWN_GRACE_S: '60' });
});
afterAll(() => env?.close());

test('while the data folder is full, workflows go on beside a call that still runs, which is paid once', async () => {
  let isFull = false;
  let checks = 0;
  const ended = Promise.withResolvers<void>();
  const model = createScriptedModel((_, call) => ({
    text: [`Answer ${call}.`],
    ...(call === 1 ? { until: () => ended.promise } : {}),
  }));
  const { adapters, client } = env;
  const workers = await startWorkers(
    { ...env, metrics: createMetrics() },
    {
      ...adapters,
      providers: { scripted: model.provider },
      async checkIndexFolder() {
        checks++;
        if (isFull) throw new Error('/data has no space left');
      },
    },
    [agentQueue('knowledge')],
    { checkEveryMs: 20 },
  );
  const row = (id: string) => adapters.tasks.get(scope, id);
  try {
    const first = await startTask({ client, tasks: adapters.tasks }, 'First?');
    await until('the first call runs', () => model.requests.length === 1);
    isFull = true;
    const before = checks;
    await until('the folder counts as full', () => checks > before + 5);

    const second = await startTask({ client, tasks: adapters.tasks }, 'Second?');
    await until('the second task runs', async () => (await row(second.id))?.status === 'running');
    expect(model.requests).toHaveLength(1);

    isFull = false;
    await until('the second task has ended', async () => (await row(second.id))?.status === 'completed');
    expect(await row(first.id)).toMatchObject({ status: 'running' });
    ended.resolve();
    await first.handle.result();
    expect(await row(first.id)).toMatchObject({ status: 'completed', usage: { modelCalls: 1 } });
    expect(model.requests).toHaveLength(2);
  } finally {
    ended.resolve();
    await workers.stop();
  }
});
