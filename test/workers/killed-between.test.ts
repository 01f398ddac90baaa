import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createAdapters, type Adapters } from '../../wiring/adapters.ts';
import { agentQueue } from '../../contract/ids.ts';
import { createTcpProxy } from '../support/processes/tcp-proxy.ts';
import { activityAttempts } from '../support/tasks/activity-attempts.ts';
import { startCountingProvider } from '../support/providers/counting-provider.ts';
import { createTestEnvironment, type TestEnvironment } from '../support/environment/environment.ts';
import { startRole } from '../support/processes/role-process.ts';
import { followTask, scope, startTask } from '../support/tasks/tasks.ts';
import { until } from '../support/until.ts';

// What a worker stores it tells Temporal next. Here the cable to Temporal is cut before that, so that the worker dies in
// exactly that gap, every time.

const queue = ['--queue', agentQueue('knowledge')];

let provider: Awaited<ReturnType<typeof startCountingProvider>>;
let env: TestEnvironment;
let adapters: Adapters;
beforeAll(async () => {
  provider = await startCountingProvider({ pieceMs: 100 });
  env = await createTestEnvironment({
    ALFRED_MODEL: 'openai:counting',
    ALFRED_MODELS: '{"openai:counting": {"input": 1, "output": 1, "contextTokens": 200000}}',
    OPENAI_BASE_URL: provider.url,
  });
  adapters = createAdapters(env);
  provider.finish();
});
afterAll(async () => {
  await adapters?.close();
  await env?.close();
  await provider?.close();
});

test('a worker killed between "response stored" and "activity completed": the next one returns what was stored and charges nothing', async () => {
  const { id: task } = await startTask({ client: env.client, tasks: adapters.tasks }, 'model');
  await dyingWorker({
    // The answer is still coming.
    cutWhen: () => seen(task, 'text.delta'),
    killWhen: () => seen(task, 'model.completed'),
  });
  await ended(task);

  expect(await activityAttempts(env.client, task, 'callModel')).toEqual([2, 1]);
  expect(provider.responses.filter((served) => served.task === 'model')).toEqual([
    expect.objectContaining({ step: 1, isComplete: true }),
    expect.objectContaining({ step: 2, isComplete: true }),
  ]);
  const { rows } = await env.postgres.pool.query(
    'select step, attempt, outcome from model_calls where task_id = $1 order by id',
    [task],
  );
  expect(rows).toEqual([
    { step: 1, attempt: 1, outcome: 'completed' },
    { step: 2, attempt: 1, outcome: 'completed' },
  ]);
  expect((await adapters.tasks.get(scope, task))?.usage).toMatchObject({ modelCalls: 2, outputTokens: 20 });
}, 60_000);

test('a worker killed between "receipt stored" and "activity completed": the tool does not run again', async () => {
  const held = await env.postgres.pool.connect();
  let task: string;
  try {
    // The tool call waits at its receipt until the cable is cut.
    await held.query('begin; lock table tool_calls in access exclusive mode');
    task = (await startTask({ client: env.client, tasks: adapters.tasks }, 'tool')).id;
    await dyingWorker({
      cutWhen: async () => (await waiting()) > 0,
      afterCut: () => held.query('commit'),
      killWhen: () => seen(task, 'tool.completed'),
    });
  } finally {
    await held.query('rollback');
    held.release();
  }
  const events = await ended(task);

  expect(await activityAttempts(env.client, task, 'runTool')).toEqual([2]);
  const ofTools = events.filter(({ type }) => type.startsWith('tool.')).map(({ type }) => type);
  expect(ofTools).toEqual(['tool.started', 'tool.completed']);
}, 60_000);

/** A moment lasts for some milliseconds. */
const often = { everyMs: 10 };
type Moment = () => Promise<boolean>;

/** A worker that loses Temporal at one moment, and its life at a later one. */
async function dyingWorker({
  cutWhen,
  afterCut,
  killWhen,
}: {
  cutWhen: Moment;
  afterCut?: () => Promise<unknown>;
  killWhen: Moment;
}) {
  const cable = await createTcpProxy(env.config.TEMPORAL_ADDRESS);
  const worker = startRole('workers/main.ts', queue, env.config, { TEMPORAL_ADDRESS: cable.address });
  try {
    await worker.ready;
    await until('Temporal is to be cut off', cutWhen, often);
    cable.cut();
    await afterCut?.();
    await until('the worker is to be killed', killWhen, often);
  } finally {
    await worker.end('SIGKILL');
    await cable.close();
  }
}

const seen = async (task: string, type: string) =>
  (await adapters.events.read(scope, task, 0, 1_000)).some((event) => event.type === type);

/** Connections that wait for the lock on the receipts. */
async function waiting(): Promise<number> {
  const { rows } = await env.postgres.pool.query<{ n: number }>(
    `select count(*)::int as n from pg_locks where relation = 'tool_calls'::regclass and not granted`,
  );
  return rows[0]?.n ?? 0;
}

/** The task's events up to its end, by another worker. */
async function ended(task: string) {
  const worker = startRole('workers/main.ts', queue, env.config);
  try {
    const events = await followTask(adapters.events, task, 30_000);
    expect(events.at(-1)?.type).toBe('task.completed');
    return events;
  } finally {
    await worker.end();
  }
}
