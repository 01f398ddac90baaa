import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { agentQueue, taskWorkflowId } from '../../contract/ids.ts';
import type { Adapters } from '../../wiring/adapters.ts';
import { createAdapterEnvironment, type AdapterEnvironment } from '../support/environment/adapter-environment.ts';
import { startRole } from '../support/processes/role-process.ts';
import { createTcpProxy } from '../support/processes/tcp-proxy.ts';
import { scope, startTask } from '../support/tasks/tasks.ts';
import { until } from '../support/until.ts';

const tasks = 20;
/** The time to the first token: the work that remains when the worker dies right after the request. */
const modelMs = 2_000;

/** How much longer Temporal is away than it needs to give an attempt up, in seconds; a minute for a thorough test. */
const gapS = Number(process.env.ALFRED_TEST_GAP_S ?? 0);
/** The time to the first token when Temporal is away: the calls are under way all the time. */
const longModelMs = 8_000 + gapS * 1_000;

let env: AdapterEnvironment;
let adapters: Adapters;
beforeAll(async () => {
  env = await createAdapterEnvironment({
    ALFRED_MODEL: 'offline:quote',
    ALFRED_OFFLINE_FIRST_TOKEN_MS: String(modelMs),
  });
  adapters = env.adapters;
});
afterAll(() => env?.close());

test('20 running tasks survive kill -9 of their worker and end after another one starts, each step paid once', async () => {
  const queue = ['--queue', agentQueue('knowledge')];
  const first = startRole('workers/main.ts', queue, env.config);
  let second: ReturnType<typeof startRole> | undefined;
  try {
    await first.ready;
    const ids = await Promise.all(
      Array.from({ length: tasks }, async (_, i) => {
        const { id } = await startTask({ client: env.client, tasks: adapters.tasks }, `Question ${i}`);
        return id;
      }),
    );
    await Promise.all(ids.map((id) => followUntil(id, (type) => type === 'model.started')));
    await first.end('SIGKILL');

    const begun = performance.now();
    second = startRole('workers/main.ts', queue, env.config);
    await second.ready;
    const readyMs = performance.now() - begun;
    const histories = await Promise.all(ids.map((id) => followUntil(id, () => false)));
    const doneMs = performance.now() - begun;
    const remainingWorkMs = modelMs * countModelCalls(histories[0] ?? []);
    const returnedMs = doneMs - readyMs - remainingWorkMs;
    console.log(
      `killed worker: another one ready ${Math.round(readyMs)} ms after its start, all ${tasks} tasks done ${Math.round(returnedMs)} ms after that plus ${remainingWorkMs} ms of remaining work`,
    );

    for (const events of histories) {
      expect(events.at(-1)?.type).toBe('task.completed');
      expect(events.map(({ seq }) => seq)).toEqual(events.map((_, i) => i + 1));
    }
    const { rows } = await env.postgres.pool.query<{ paid: number }>(
      `select count(*) as paid from model_calls where outcome = 'completed' group by task_id, step`,
    );
    expect(new Set(rows.map(({ paid }) => paid))).toEqual(new Set([1]));
  } finally {
    await first.end('SIGKILL');
    await second?.end();
  }
});

test(
  'Temporal is away for longer than the heartbeat in the middle of 20 model calls: each call is made and charged once',
  async () => {
    const cable = await createTcpProxy(env.config.TEMPORAL_ADDRESS);
    const role = startRole('workers/main.ts', ['--queue', agentQueue('knowledge')], env.config, {
      TEMPORAL_ADDRESS: cable.address,
      ALFRED_OFFLINE_FIRST_TOKEN_MS: String(longModelMs),
    });
    try {
      await role.ready;
      const deps = { client: env.client, tasks: adapters.tasks };
      const begun = await Promise.all(Array.from({ length: tasks }, (_, i) => startTask(deps, `Gap ${i}`)));
      const ids = begun.map(({ id }) => id);
      await Promise.all(ids.map((id) => followUntil(id, (type) => type === 'model.started')));
      cable.cut();
      // Temporal has taken every attempt for dead and has scheduled the next one.
      await until('every call is at its next attempt', async () => (await nextAttempts(ids)) === tasks, {
        withinMs: 30_000,
        everyMs: 200,
      });
      if (gapS > 0) await sleep(gapS * 1_000);
      cable.plug();
      const histories = await Promise.all(ids.map((id) => followUntil(id, () => false)));
      for (const events of histories) {
        expect(events.at(-1)?.type).toBe('task.completed');
        expect(events.filter(({ type }) => type === 'model.started')).toHaveLength(countModelCalls(events));
        expect(events.some(({ type }) => type === 'model.failed')).toBe(false);
      }
      const { rows } = await env.postgres.pool.query(
        `select outcome, attempt, count(*)::int as n from model_calls where task_id = any($1) and step = 1 group by 1, 2`,
        [ids],
      );
      expect(rows).toEqual([{ outcome: 'completed', attempt: 1, n: tasks }]);
    } finally {
      await role.end('SIGKILL');
      await cable.close();
    }
  },
  180_000 + gapS * 3_000,
);

test('SIGTERM lets a running model call finish', async () => {
  const role = startRole('workers/main.ts', ['--queue', agentQueue('knowledge')], env.config);
  try {
    await role.ready;
    const task = await startTask({ client: env.client, tasks: adapters.tasks }, 'Drain?');
    await followUntil(task.id, (type) => type === 'model.started');
    expect(await role.end('SIGTERM')).toBe(0);
    const events = await adapters.events.read(scope, task.id, 0, 100);
    expect(events.find(({ type }) => type === 'model.completed')).toMatchObject({ data: { attempt: 1 } });
  } finally {
    await role.end('SIGKILL');
  }
});

/** How many of the tasks have a model call whose first attempt Temporal has given up. */
async function nextAttempts(ids: string[]): Promise<number> {
  const described = await Promise.all(ids.map((id) => env.client.workflow.getHandle(taskWorkflowId(id)).describe()));
  return described.filter(({ raw }) => raw.pendingActivities?.some(({ attempt }) => (attempt ?? 1) > 1)).length;
}

const countModelCalls = (events: { type: string }[]) => events.filter(({ type }) => type === 'model.completed').length;

/** Follows a task until an event of that type, or until its end. @returns its events so far */
async function followUntil(id: string, isLast: (type: string) => boolean) {
  const events = [];
  for await (const page of adapters.events.follow(scope, id, 0, AbortSignal.timeout(90_000 + gapS * 2_000))) {
    events.push(...page);
    if (page.some(({ type }) => isLast(type))) break;
  }
  return events;
}
