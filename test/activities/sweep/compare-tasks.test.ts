import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { Client } from '@temporalio/client';
import { v7 as newId } from 'uuid';
import { compareStart, compareTasks, type ComparePosition } from '../../../activities/sweep/compare-tasks.ts';
import { resumeUndos } from '../../../activities/sweep/resume-undos.ts';
import { measureTasks } from '../../../activities/sweep/measure-tasks.ts';
import { createWorkflowSurvey } from '../../../adapters/temporal/workflow-survey.ts';
import { createEffects } from '../../../adapters/postgres/ledger/effects.ts';
import { createTasks } from '../../../adapters/postgres/tasks/tasks.ts';
import { undoWorkflowId } from '../../../contract/ids.ts';
import type { Tasks, WorkflowState } from '../../../contract/ports/index.ts';
import { createMetrics } from '../../../runtime/metrics.ts';
import { createTestEnvironment, type TestEnvironment } from '../../support/environment/environment.ts';

let env: TestEnvironment;
let tasks: Tasks;
beforeAll(async () => {
  env = await createTestEnvironment();
  tasks = createTasks(env.postgres.db);
});
beforeEach(async () => {
  await env.postgres.pool.query('truncate tasks cascade');
});
afterAll(() => env?.close());

const scope = { tenant: 'local', subject: 'local' };

/** Inserts tasks that have waited for an hour. */
const insertWaiting = (count: number, ageMinutes = 61) =>
  env.postgres.pool.query(
    `insert into tasks (id, tenant, subject, agent, status, request_hash, input_head, run_id, created_at, updated_at)
     select gen_random_uuid(), 'local', 'local', 'knowledge', 'waiting', '', '', 'r1',
       now() - make_interval(mins => $2, secs => n * 0.001), now() - make_interval(mins => $2)
     from generate_series(1, $1) n`,
    [count, ageMinutes],
  );

/** A Temporal that lists as running what it is asked for, but for `hidden`, and counts the requests. */
function countingTemporal({ isHidden = () => false }: { isHidden?: (id: string, n: number) => boolean } = {}) {
  const calls: number[] = [];
  let asked = 0;
  const listWorkflowExecutions = async ({ query }: { query: string }) => {
    calls.push(performance.now());
    const ids = [...query.matchAll(/'(task\/[^']+)'/g)].map((match) => match[1] ?? '');
    const executions = ids.filter((id) => !isHidden(id, asked++)).map((workflowId) => ({ execution: { workflowId } }));
    return { executions, nextPageToken: new Uint8Array() };
  };
  const client = { options: { namespace: 'test' }, workflowService: { listWorkflowExecutions } } as unknown as Client;
  return { calls, client };
}

type Setting = {
  client: Client;
  describe?: (workflowId: string) => Promise<WorkflowState>;
  movedAt?: Date;
  pace?: () => Promise<void>;
  position?: ComparePosition;
  isFull?: boolean;
};

function compare({ client, describe, movedAt, pace, position = compareStart, isFull = true }: Setting) {
  const described: string[] = [];
  const restarted: string[] = [];
  const cancelled: string[] = [];
  const saved: ComparePosition[] = [];
  const read = async (id: string) => {
    described.push(id);
    return (await describe?.(id)) ?? ({ status: 'not_found' } as const);
  };
  const cancelTask = async (taskId: string) => void cancelled.push(taskId);
  const survey = createWorkflowSurvey(client, { describe: read, cancelTask }, ...(pace ? [pace, pace] : []));
  const deps = {
    tasks,
    survey,
    workflows: {
      describe: read,
      restartTask: async ({ taskId }: { taskId: string }) => void restarted.push(taskId),
      cancelTask,
    },
    namespace: { check: async () => ({ movedAt }) },
    metrics: createMetrics(),
    log: env.log,
  };
  const signal = new AbortController().signal;
  const done = compareTasks(deps, { isFull, position, save: (at) => saved.push(at), signal });
  return { done, described, restarted, cancelled, saved };
}
const noPace = async () => {};

test('50,000 waiting tasks are compared within a minute, with fewer than 5 requests a second and no Describe', async () => {
  await insertWaiting(50_000);
  const { client, calls } = countingTemporal();
  const startedAt = performance.now();
  const { done, described, saved } = compare({ client });
  expect(await done).toEqual({ corrected: 0, isHalted: false });
  const seconds = (performance.now() - startedAt) / 1_000;
  expect({ calls: calls.length, described: described.length }).toEqual({ calls: 101, described: 0 });
  expect(seconds).toBeLessThan(60);
  expect(calls.length / seconds).toBeLessThan(5);
  expect(saved.at(-1)).toMatchObject({ compared: 50_000, areOpenDone: true });
});

test('a round in between leaves out tasks that have waited for long', async () => {
  await insertWaiting(600);
  await insertWaiting(3, 5);
  const { client, calls } = countingTemporal();
  const { done, saved } = compare({ client, pace: noPace, isFull: false });
  await done;
  expect({ calls: calls.length, compared: saved.at(-1)?.compared }).toEqual({ calls: 2, compared: 3 });
});

test('a list that lags declares nothing lost: each task that it does not show is described', async () => {
  await insertWaiting(50);
  const { client } = countingTemporal({ isHidden: () => true });
  const { done, described, restarted } = compare({
    client,
    pace: noPace,
    describe: async () => ({ status: 'running', runId: 'r1' }),
  });
  expect(await done).toEqual({ corrected: 0, isHalted: false });
  expect({ described: described.length, restarted }).toEqual({ described: 50, restarted: [] });
});

test('a few lost tasks start again; of many at once none, in every round, until a person says that Temporal lost them', async () => {
  await insertWaiting(200);
  const few = countingTemporal({ isHidden: (_, n) => n % 50 === 0 });
  const first = compare({ client: few.client, pace: noPace });
  expect(await first.done).toEqual({ corrected: 4, isHalted: false });
  expect(first.restarted).toHaveLength(4);

  const all = countingTemporal({ isHidden: () => true });
  for (let round = 0; round < 2; round++) {
    const halted = compare({ client: all.client, pace: noPace });
    expect(await halted.done).toEqual({ corrected: 0, isHalted: true });
    expect({ described: halted.described.length, restarted: halted.restarted }).toEqual({
      // More than a fifth of all.
      described: 41,
      restarted: [],
    });
  }

  const moved = compare({ client: all.client, pace: noPace, movedAt: new Date() });
  expect(await moved.done).toEqual({ corrected: 200, isHalted: false });
  expect(new Set(moved.restarted).size).toBe(200);
});

test('after 500 lost tasks the round stops when they are a fifth of those that were looked at', async () => {
  await insertWaiting(4_000);
  const oldest = countingTemporal({ isHidden: (_, n) => n < 600 });
  const { done, described, restarted } = compare({ client: oldest.client, pace: noPace });
  expect(await done).toEqual({ corrected: 0, isHalted: true });
  expect({ described: described.length, restarted }).toEqual({ described: 501, restarted: [] });
});

test('a task that began after the move counts as lost, although its message came before', async () => {
  const movedAt = new Date(Date.now() - 600_000);
  await insertWaiting(30);
  const all = countingTemporal({ isHidden: () => true });
  const { done, restarted } = compare({ client: all.client, pace: noPace, movedAt });
  expect(await done).toEqual({ corrected: 0, isHalted: true });
  expect(restarted).toEqual([]);
});

test('lost tasks that are all old do not halt the sweep when they are few of all', async () => {
  await insertWaiting(300);
  const old = countingTemporal({ isHidden: (_, n) => n < 30 });
  const { done, restarted } = compare({ client: old.client, pace: noPace });
  expect(await done).toEqual({ corrected: 30, isHalted: false });
  expect(restarted).toHaveLength(30);
});

test('a backlog of queued tasks that Temporal does not know is counted as lost, and none of it is ended', async () => {
  await insertWaiting(30);
  const states = async () => (await env.postgres.pool.query(`select distinct status from tasks`)).rows;
  await env.postgres.pool.query(`update tasks set status = 'queued', run_id = null`);
  const all = countingTemporal({ isHidden: () => true });
  expect(await compare({ client: all.client, pace: noPace }).done).toEqual({ corrected: 0, isHalted: true });
  expect(await states()).toEqual([{ status: 'queued' }]);

  const few = countingTemporal({ isHidden: (_, n) => n < 3 });
  const { done, restarted } = compare({ client: few.client, pace: noPace });
  expect(await done).toEqual({ corrected: 3, isHalted: false });
  expect(restarted).toHaveLength(3);
  expect(await states()).toEqual([{ status: 'queued' }]);
});

test('a retry goes on after the page that was saved', async () => {
  await insertWaiting(1_200);
  const { client } = countingTemporal();
  const { done, saved } = compare({ client, pace: noPace });
  await done;
  expect(saved.map(({ compared }) => compared)).toEqual([500, 1_000, 1_200, 1_200]);
  const again = countingTemporal();
  const retry = compare({ client: again.client, pace: noPace, position: saved[1] ?? compareStart });
  await retry.done;
  expect(retry.saved.at(-1)).toMatchObject({ compared: 1_200 });
  expect(again.calls).toHaveLength(2);
});

test('a cancel request that never reached its workflow reaches it, also that of a lost task', async () => {
  await insertWaiting(2);
  await env.postgres.pool.query(`update tasks set cancel_request = '{}'`);
  const { client } = countingTemporal({ isHidden: (_, n) => n === 0 });
  const { done, restarted, cancelled } = compare({ client, pace: noPace });
  await done;
  expect({ restarted: restarted.length, cancelled: cancelled.length }).toEqual({ restarted: 1, cancelled: 2 });
});

test('a cancelled task that does not change is asked again in full rounds only', async () => {
  await insertWaiting(1, 10);
  await env.postgres.pool.query(`update tasks set cancel_request = '{}'`);
  const { client } = countingTemporal();
  const quick = compare({ client, pace: noPace, isFull: false });
  await quick.done;
  const full = compare({ client, pace: noPace });
  await full.done;
  expect([quick.cancelled.length, full.cancelled.length]).toEqual([0, 1]);
});

test('an undo that no workflow brings to its end goes on; one that is under way is left alone', async () => {
  const { pool } = env.postgres;
  await insertWaiting(3);
  await pool.query(`update tasks set status = 'failed', ended_at = now() - interval '5 minutes'`);
  const { rows } = await pool.query<{ id: string }>('select id from tasks order by id');
  const [forgotten = '', running = '', undone = ''] = rows.map(({ id }) => id);
  for (const [id, state] of Object.entries({ [forgotten]: 'begun', [running]: 'begun', [undone]: 'undone' }))
    await pool.query(
      `insert into tool_calls (task_id, step, call_id, tool, effect, left_at, undo_state)
       values ($1, 1, 'a', 'pay', 'write', now(), $2), ($1, 1, 'b', 'pay', 'write', now(), $2)`,
      [id, state],
    );
  const started: string[] = [];
  await resumeUndos(
    {
      effects: createEffects(env.postgres.db),
      workflows: { undoTask: async ({ taskId }) => void started.push(taskId) },
      survey: {
        runningAmong: async () => new Set([undoWorkflowId(running)]),
        describe: async () => ({ status: 'terminated', runId: 'r' }),
      },
      log: env.log,
    },
    new AbortController().signal,
  );
  expect(started).toEqual([forgotten]);
});

test('a queue that nobody serves shows in a metric, in the log and in the queued task', async () => {
  const queued = await tasks.create(scope, { agent: 'knowledge', input: { text: 'q' } }, {});
  const fresh = await tasks.create(scope, { agent: 'other', input: { text: 'q' } }, {});
  await env.postgres.pool.query(`update tasks set created_at = now() - interval '2 minutes' where id = $1`, [
    queued.id,
  ]);
  const metrics = createMetrics();
  const served = new Set<string>();
  const isServed = async (agent: string) => {
    if (agent === 'unknown') throw new Error('no answer');
    return served.has(agent);
  };
  const unknown = await tasks.create(scope, { agent: 'unknown', input: { text: 'q' } }, {});
  await env.postgres.pool.query(`update tasks set created_at = now() - interval '1 minute' where id = $1`, [
    unknown.id,
  ]);
  const measure = () =>
    measureTasks({ tasks, metrics, log: env.log, survey: { isServed } }, new AbortController().signal);
  expect(await measure()).toEqual(['knowledge']);
  const text = await metrics.registry.metrics();
  expect(text).toContain('tasks_open{agent="knowledge",status="queued"} 1');
  expect(text).toContain('agent_without_worker{agent="knowledge"} 1');
  expect(Number(/tasks_queued_oldest_seconds{agent="knowledge"} (.*)/.exec(text)?.[1])).toBeGreaterThan(100);
  expect(await tasks.get(scope, queued.id)).toMatchObject({
    status: 'queued',
    waiting: { reason: 'worker', message: expect.stringContaining('No worker serves the task queue agent-knowledge.') },
  });
  expect((await tasks.get(scope, fresh.id))?.waiting).toBeNull();

  served.add('knowledge');
  expect(await measure()).toEqual([]);
  expect((await tasks.get(scope, queued.id))?.waiting).toBeNull();
  expect(await metrics.registry.metrics()).not.toContain('agent_without_worker{');
});

test('Temporal tells which queue a worker polls', async () => {
  const survey = createWorkflowSurvey(
    env.client,
    { describe: async () => ({ status: 'not_found' }), cancelTask: async () => {} },
    noPace,
  );
  expect(await survey.isServed(`unserved-${newId()}`, new AbortController().signal)).toBe(false);
});
