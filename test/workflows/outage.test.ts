import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Worker } from '@temporalio/worker';
import { createModelGate } from '../../adapters/postgres/ledger/model-gate.ts';
import { createWorkflows } from '../../adapters/temporal/workflows.ts';
import { createAdapters, type Adapters } from '../../wiring/adapters.ts';
import { createActivityInterceptor } from '../../activities/interceptor.ts';
import { createOutageActivities } from '../../activities/outage.ts';
import type { ModelFacts, ModelGate, ParkedTasks } from '../../contract/ports/index.ts';
import { AlfredError } from '../../contract/errors.ts';
import { outageWorkflowId, systemQueue } from '../../contract/ids.ts';
import type { TaskRef } from '../../contract/references.ts';
import { createMetrics } from '../../runtime/metrics.ts';
import { workflowBundle } from '../../workers/bundle.ts';
import { createTestEnvironment, type TestEnvironment } from '../support/environment/environment.ts';

const probeMs = 100;
let env: TestEnvironment;
let adapters: Adapters;
let gate: ModelGate;
let model: string;
let number = 0;
let running: { stop(): Promise<void> }[] = [];

beforeAll(async () => {
  env = await createTestEnvironment();
  adapters = createAdapters(env);
  gate = createModelGate(env.postgres.db, { failures: 1, probeMs });
});
beforeEach(() => {
  model = `scripted:model-${++number}`;
});
afterEach(async () => {
  for (const worker of running) await worker.stop();
  running = [];
});
afterAll(async () => {
  await adapters?.close();
  await env?.close();
});

const metrics = createMetrics();
const workflows = () => createWorkflows(env.client, env.config);

/** Starts a worker that only watches outages. @param release what happens when a task is released */
async function startWorker(
  release: (taskId: string) => Promise<void>,
  more: { parked?: ParkedTasks; drainPerS?: number } = {},
) {
  const { parked = adapters.parked, drainPerS = 1_000 } = more;
  const { releaseParkedTasks } = createOutageActivities({
    parked,
    workflows: { release },
    drainPerS,
    metrics,
    log: env.log,
  });
  const created = await Worker.create({
    connection: env.connection,
    namespace: env.config.TEMPORAL_NAMESPACE,
    taskQueue: systemQueue,
    workflowBundle: await workflowBundle(env.config, env.log),
    activities: { letTasksGo: releaseParkedTasks },
    interceptors: { activity: [() => ({ inbound: createActivityInterceptor(env.log) })] },
    stickyQueueScheduleToStartTimeout: '1 s',
    shutdownGraceTime: 0,
  });
  const run = created.run();
  const stop = async () => {
    if (created.getState() === 'RUNNING') created.shutdown();
    await run;
  };
  const started = { stop };
  running.push(started);
  return started;
}

const facts = (): ModelFacts => ({
  name: model,
  price: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 },
  contextTokens: 1_000,
  maxOutputTokens: 100,
});

type Parked = TaskRef & { name: string };
async function task(name: string): Promise<Parked> {
  const scope = { tenant: `tenant-${name[0]}`, subject: 's' };
  const { id } = await adapters.tasks.create(scope, { agent: 'knowledge', input: { text: 'Why?' } }, {});
  return { ...scope, taskId: id, agent: 'knowledge', name };
}
async function park(list: string): Promise<Parked[]> {
  const tasks = await Promise.all(list.split(' ').map(task));
  for (const ref of tasks) await adapters.parked.park(ref, model);
  return tasks;
}
const ended = () => env.client.workflow.getHandle(outageWorkflowId(model)).result();

/** Imitates the tasks' workflows: a released task leaves the queue, calls the model, and parks again if it is down. */
function simulateTasks(tasks: Parked[], answers: (name: string) => boolean) {
  const released: string[] = [];
  const outcomes: string[] = [];
  const release = async (taskId: string) => {
    const ref = tasks.find((task) => task.taskId === taskId);
    if (!ref) throw new Error(`no task ${taskId}`);
    released.push(ref.name);
    await adapters.parked.unpark(taskId);
    const entry = await gate.enter(facts(), 1);
    if (!entry.open) outcomes.push(`${ref.name} kept out`);
    else if (answers(ref.name)) {
      outcomes.push(`${ref.name} done`);
      return gate.recordSuccess(model, { tokens: 1, estimated: 1 });
    } else {
      outcomes.push(`${ref.name} failed`);
      await gate.recordFailure(model);
    }
    await adapters.parked.park(ref, model);
    await workflows().watchOutage(model);
  };
  return { released, outcomes, release };
}

describe('a model that is down', () => {
  test('is called by one task at a time until it answers; then all continue, round-robin over tenants', async () => {
    await gate.recordFailure(model);
    const tasks = await park('a1 a2 a3 b1 b2 c1');
    let attempts = 0;
    const { released, outcomes, release } = simulateTasks(tasks, () => ++attempts > 4);
    await startWorker(release, { drainPerS: 100 });
    await workflows().watchOutage(model);
    await ended();
    expect(released.join(' ')).toBe('a1 b1 c1 a2 b2 c1 a1 b1 a2 a3');
    expect(outcomes.slice(0, 5)).toEqual(['a1 failed', 'b1 failed', 'c1 failed', 'a2 failed', 'b2 done']);
    // While the model was down, only probes were released.
    expect(outcomes.filter((line) => !line.endsWith('done'))).toHaveLength(4);
    expect(await adapters.parked.count(model)).toBe(0);
    const counted = (await metrics.tasksReleased.get()).values.find(({ labels }) => labels.model === model);
    expect(counted?.value).toBe(10);
    expect((await metrics.tasksParked.get()).values).toContainEqual({ labels: { model }, value: 0 });
  });

  test('that goes down again while tasks continue keeps the rest waiting until it answers', async () => {
    await gate.recordFailure(model);
    const tasks = await park('a1 a2 a3 a4 a5 a6');
    let attempts = 0;
    const { outcomes, release } = simulateTasks(tasks, () => ![1, 4, 5].includes(++attempts));
    await startWorker(release, { drainPerS: 100 });
    await workflows().watchOutage(model);
    await ended();
    expect(
      outcomes
        .filter((line) => line.endsWith('done'))
        .map((line) => line.slice(0, 2))
        .sort(),
    ).toEqual(tasks.map(({ name }) => name));
    expect(outcomes.filter((line) => line.endsWith('failed'))).toHaveLength(3);
  });

  test('does not release tasks faster than the configured rate', async () => {
    const tasks = await park('a1 a2 b1 b2 c1');
    await startWorker(simulateTasks(tasks, () => true).release, { drainPerS: 10 });
    await workflows().watchOutage(model);
    await ended();
    const { rows } = await env.postgres.pool.query<{ released_at: Date }>(
      'select released_at from parked_tasks where model = $1 order by 1',
      [model],
    );
    expect(rows).toHaveLength(5);
    for (const [i, row] of rows.entries()) {
      const before = rows[i - 1];
      // Timestamps are rounded to milliseconds.
      if (before) expect(row.released_at.getTime() - before.released_at.getTime()).toBeGreaterThanOrEqual(99);
    }
  });

  test('has its tasks released although the worker that watches it is stopped', async () => {
    const tasks = await park('a1 a2 a3 a4 a5 a6 b1 b2 b3 b4 b5 b6');
    const { outcomes, release } = simulateTasks(tasks, () => true);
    const thirdReleased = Promise.withResolvers<void>();
    const stopping = Promise.withResolvers<void>();
    const first = await startWorker(
      async (taskId) => {
        await release(taskId);
        if (outcomes.length < 3) return;
        thirdReleased.resolve();
        await stopping.promise;
      },
      { drainPerS: 10 },
    );
    await workflows().watchOutage(model);
    await thirdReleased.promise;
    const end = first.stop();
    stopping.resolve();
    await end;
    expect(outcomes.length).toBeLessThan(tasks.length);
    await startWorker(release, { drainPerS: 50 });
    await ended();
    expect(outcomes.map((line) => line.slice(0, 2)).sort()).toEqual(tasks.map(({ name }) => name));
  });
});

describe('the workflow that watches', () => {
  test('checks again when a task was parked after its last check', async () => {
    const [first] = await park('a1');
    const released: string[] = [];
    let late: TaskRef | undefined;
    const parked: ParkedTasks = {
      ...adapters.parked,
      async circuit(name) {
        const state = await adapters.parked.circuit(name);
        if (state.parked === 0 && !late) {
          late = await task('a2');
          await adapters.parked.park(late, model);
          await workflows().watchOutage(model);
        }
        return state;
      },
    };
    await startWorker(
      async (taskId) => {
        released.push(taskId);
        await adapters.parked.unpark(taskId);
      },
      { parked },
    );
    await workflows().watchOutage(model);
    await ended();
    expect(released).toEqual([first?.taskId, late?.taskId]);
  });

  test('misses none of many tasks that are parked while it starts and ends', async () => {
    const waiting = new Map<string, () => void>();
    await startWorker(async (taskId) => {
      await adapters.parked.unpark(taskId);
      waiting.get(taskId)?.();
    });
    const watching = workflows();
    for (let round = 0; round < 15; round++) {
      const ref = await task('a1');
      const isReleased = new Promise<void>((resolve) => waiting.set(ref.taskId, resolve));
      await adapters.parked.park(ref, model);
      await watching.watchOutage(model);
      await isReleased;
    }
    await ended();
    expect(await adapters.parked.count(model)).toBe(0);
  });

  test('continues after its activity has failed for good', async () => {
    await park('a1');
    let failed = false;
    const parked: ParkedTasks = {
      ...adapters.parked,
      async circuit(name) {
        if (failed) return adapters.parked.circuit(name);
        failed = true;
        await workflows().watchOutage(model);
        throw new AlfredError('invalid_request', 'on purpose');
      },
    };
    await startWorker((taskId) => adapters.parked.unpark(taskId), { parked });
    await workflows().watchOutage(model);
    await ended();
    expect(failed).toBe(true);
    expect(await adapters.parked.count(model)).toBe(0);
  });

  test('runs once and gets a single signal, although many tasks start it at once', async () => {
    await park('a1');
    const watching = workflows();
    await Promise.all(Array.from({ length: 200 }, () => watching.watchOutage(model)));
    const { events } = await env.client.workflow.getHandle(outageWorkflowId(model)).fetchHistory();
    const signals = events?.filter((event) => event.workflowExecutionSignaledEventAttributes) ?? [];
    expect(signals).toHaveLength(1);
    await startWorker((taskId) => adapters.parked.unpark(taskId));
    await ended();
  });

  test('ignores a task that does not exist', async () => {
    await expect(workflows().release('01890000-0000-7000-8000-000000000000')).resolves.toBeUndefined();
  });
});
