import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Adapters } from '../../wiring/adapters.ts';
import { agentQueue } from '../../contract/ids.ts';
import { createTcpProxy } from '../support/processes/tcp-proxy.ts';
import { activityAttempts } from '../support/tasks/activity-attempts.ts';
import { createCountingEnvironment, type CountingEnvironment } from '../support/providers/counting-environment.ts';
import { startRole } from '../support/processes/role-process.ts';
import { followTask, scope, startTask } from '../support/tasks/tasks.ts';
import { until } from '../support/until.ts';

// A worker stores a result and then completes its activity. Here the connection to Temporal is cut between the two, so
// that the worker always dies in that gap.

const queue = ['--queue', agentQueue('knowledge')];

let provider: CountingEnvironment['provider'];
let env: CountingEnvironment;
let adapters: Adapters;
beforeAll(async () => {
  env = await createCountingEnvironment(100);
  adapters = env.adapters;
  provider = env.provider;
  provider.finish();
});
afterAll(() => env?.close());

test('a worker killed between "response stored" and "activity completed": the next one returns the stored response and charges nothing', async () => {
  const { id: task } = await startTask({ client: env.client, tasks: adapters.tasks }, 'model');
  await runDyingWorker({
    // In the middle of the answer.
    cutWhen: () => hasEvent(task, 'text.delta'),
    killWhen: () => hasEvent(task, 'model.completed'),
  });
  await finishWithAnotherWorker(task);

  expect(await activityAttempts(env.client, task, 'callModel')).toEqual([2, 1]);
  expect(provider.responses.filter((response) => response.task === 'model')).toEqual([
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
});

test('a worker killed between "receipt stored" and "activity completed": the tool does not run again', async () => {
  const lock = await env.postgres.pool.connect();
  let task: string;
  try {
    // The tool call waits for this lock to store its receipt, until the connection is cut.
    await lock.query('begin; lock table tool_calls in access exclusive mode');
    task = (await startTask({ client: env.client, tasks: adapters.tasks }, 'tool')).id;
    await runDyingWorker({
      cutWhen: async () => (await countWaiting()) > 0,
      afterCut: () => lock.query('commit'),
      killWhen: () => hasEvent(task, 'tool.completed'),
    });
  } finally {
    await lock.query('rollback');
    lock.release();
  }
  const events = await finishWithAnotherWorker(task);

  expect(await activityAttempts(env.client, task, 'runTool')).toEqual([2]);
  const toolEvents = events.filter(({ type }) => type.startsWith('tool.')).map(({ type }) => type);
  expect(toolEvents).toEqual(['tool.started', 'tool.completed']);
});

/** The gap lasts for some milliseconds only. */
const often = { everyMs: 10 };
type Condition = () => Promise<boolean>;

/** Runs a worker, cuts its connection to Temporal at one moment and kills it at a later one. */
async function runDyingWorker({
  cutWhen,
  afterCut,
  killWhen,
}: {
  cutWhen: Condition;
  afterCut?: () => Promise<unknown>;
  killWhen: Condition;
}) {
  const cable = await createTcpProxy(env.config.TEMPORAL_ADDRESS);
  const worker = startRole('workers/main.ts', queue, env.config, { TEMPORAL_ADDRESS: cable.address });
  try {
    await worker.ready;
    await until('the moment to cut the connection', cutWhen, often);
    cable.cut();
    await afterCut?.();
    await until('the moment to kill the worker', killWhen, often);
  } finally {
    await worker.end('SIGKILL');
    await cable.close();
  }
}

const hasEvent = async (task: string, type: string) =>
  (await adapters.events.read(scope, task, 0, 1_000)).some((event) => event.type === type);

/** The number of connections that wait for the lock on the receipts. */
async function countWaiting(): Promise<number> {
  const { rows } = await env.postgres.pool.query<{ n: number }>(
    `select count(*)::int as n from pg_locks where relation = 'tool_calls'::regclass and not granted`,
  );
  return rows[0]?.n ?? 0;
}

/** Lets another worker finish the task. @returns all events of the task */
async function finishWithAnotherWorker(task: string) {
  const worker = startRole('workers/main.ts', queue, env.config);
  try {
    const events = await followTask(adapters.events, task, 30_000);
    expect(events.at(-1)?.type).toBe('task.completed');
    return events;
  } finally {
    await worker.end();
  }
}
