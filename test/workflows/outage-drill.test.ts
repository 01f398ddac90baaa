import { afterEach, describe, expect, test } from '@jest/globals';
import { AlfredError } from '../../contract/errors.ts';
import { agentQueue, taskWorkflowId } from '../../contract/ids.ts';
import type { agentTaskWorkflow } from '../../workflows/agent-task/workflow.ts';
import { createTaskHarness, type TaskHarness } from '../support/tasks/task-harness.ts';
import { until } from '../support/until.ts';

// A probe every 0.15 s instead of every 15 s, so 40 probes stand for an outage of ten minutes.
const probeS = 0.15;
const probes = 40;
const failures = 5;

let harness: TaskHarness;
afterEach(() => harness?.close());

const down = () => ({ error: new AlfredError('model_unavailable', 'The provider answered 529.') });
const metric = async (name: string) => harness.metrics.registry.getSingleMetricAsString(name);

async function start(tenant: string) {
  const scope = { tenant, subject: 'somebody' };
  const { id, head } = await harness.tasks.create(scope, { agent: 'knowledge', input: { text: 'What?' } }, {});
  await harness.client.workflow.start<typeof agentTaskWorkflow>('agentTaskWorkflow', {
    workflowId: taskWorkflowId(id),
    taskQueue: agentQueue('knowledge'),
    args: [{ taskId: id, agent: 'knowledge', head, ...scope }],
    workflowTaskTimeout: '5 s',
  });
  return { id, tenant };
}

const rows = async <T extends object>(text: string) => (await harness.postgres.pool.query<T>(text)).rows;
const allCompleted = async () => (await rows(`select from tasks where status <> 'completed'`)).length === 0;
const waitingTasks = async () =>
  (await rows<{ n: number }>(`select count(*)::int as n from tasks where status = 'waiting'`))[0]?.n ?? 0;
const drill = { withinMs: 60_000, everyMs: 50 };

describe('an outage of forty probes with 200 tasks in flight', () => {
  test('fails no task, sends the provider only probes, and is drained round-robin over tenants, oldest first', async () => {
    harness = await createTaskHarness({
      ALFRED_OUTAGE_FAILURES: String(failures),
      ALFRED_OUTAGE_PROBE_S: String(probeS),
      ALFRED_OUTAGE_DRAIN_PER_S: '40',
    });
    let isDown = true;
    const requests = harness.script(() => (isDown ? down() : { text: ['Back again.'] }));
    // One tenant has most of the tasks, and its tasks came first.
    const tasks: { id: string; tenant: string }[] = [];
    for (const [tenant, count] of [
      ['many', 150],
      ['few', 50],
    ] as const)
      for (let n = 0; n < count; n++) tasks.push(await start(tenant));

    await until('all but one task wait', async () => (await waitingTasks()) >= tasks.length - 1, drill);
    const beforeProbes = requests.length;
    const [{ released } = { released: 0 }] = await rows<{ released: number }>(
      'select coalesce(sum(releases), 0)::int as released from parked_tasks',
    );
    await until(`${probes} probes are sent`, () => requests.length >= beforeProbes + probes, drill);
    // Only released tasks have called the model.
    const [{ sent } = { sent: 0 }] = await rows<{ sent: number }>(
      'select coalesce(sum(releases), 0)::int as sent from parked_tasks',
    );
    expect(requests.length - beforeProbes).toBeLessThanOrEqual(sent - released + 1);
    expect(await metric('model_circuit_open')).toContain('model_circuit_open{model="scripted:test"} 1');
    expect(await metric('tasks_parked')).toMatch(/tasks_parked\{model="scripted:test"\} (19\d|200)/);

    isDown = false;
    await until('every task is completed', allCompleted, { ...drill, withinMs: 90_000 });

    // Each task made one successful call after its release. Attempts during the outage cost nothing.
    const ledger = await rows<{ outcome: string; n: number }>(
      'select outcome, count(*)::int as n from model_calls group by outcome order by outcome',
    );
    expect(ledger.find(({ outcome }) => outcome === 'completed')?.n).toBe(tasks.length);
    expect(
      ledger.filter(({ outcome }) => !['completed', 'model_outage', 'model_unavailable'].includes(outcome)),
    ).toEqual([]);
    expect(
      await rows("select from model_calls where input_tokens > 0 and outcome <> 'completed' and cost_usd > 0"),
    ).toEqual([]);

    // Tasks resume in parking order within a tenant, and tenants take turns although one has three times as many tasks.
    const resumed = await rows<{ tenant: string; place: number }>(
      `select t.tenant, row_number() over (partition by t.tenant order by p.parked_at)::int as place
       from task_events e join tasks t on t.id = e.task_id join parked_tasks p on p.task_id = t.id
       where e.type = 'task.resumed' and e.seq = (select max(seq) from task_events where task_id = t.id and type = 'task.resumed')
       order by e.at`,
    );
    const first = resumed.slice(0, 100);
    expect(first.filter(({ tenant }) => tenant === 'few').length).toBeGreaterThan(35);
    for (const tenant of ['many', 'few']) {
      const places = resumed.filter((task) => task.tenant === tenant).map(({ place }) => place);
      // Signals are sent in parallel, and a probe may succeed before its turn, so the order is approximate. In random
      // order the average distance from a task's place would be a third of the tenant's tasks.
      const meanDistance = places.reduce((sum, place, i) => sum + Math.abs(place - 1 - i), 0) / places.length;
      expect(meanDistance).toBeLessThan(places.length / 6);
    }

    // The events that a person sees.
    const types = await rows<{ type: string; n: number }>(
      `select type, count(distinct task_id)::int as n from task_events where type like 'task.%' group by type`,
    );
    const eventCounts = Object.fromEntries(types.map(({ type, n }) => [type, n]));
    expect(eventCounts['task.completed']).toBe(tasks.length);
    expect(eventCounts['task.waiting']).toBeGreaterThanOrEqual(tasks.length - 1);
    expect(eventCounts['task.failed']).toBeUndefined();
    const [waiting] = await rows<{ data: object }>(`select data from task_events where type = 'task.waiting' limit 1`);
    expect(waiting?.data).toMatchObject({ reason: 'outage', model: 'scripted:test' });
    expect(await metric('model_circuit_opened_total')).toContain('model="scripted:test"');
    await until(
      'no task is parked',
      async () => (await metric('tasks_parked')).includes('tasks_parked{model="scripted:test"} 0'),
      drill,
    );
  });

  test('uses the fallback, if there is one, and reports that in an event', async () => {
    harness = await createTaskHarness({
      ALFRED_MODEL: 'scripted:test,scripted:spare',
      ALFRED_OUTAGE_FAILURES: String(failures),
      ALFRED_OUTAGE_PROBE_S: '60',
    });
    const requests = harness.script(({ model }) => (model === 'spare' ? { text: ['From the spare.'] } : down()));
    const tasks = [];
    for (let n = 0; n < 40; n++) tasks.push(await start('local'));
    await until('every task is completed', allCompleted, drill);
    expect(await rows(`select from task_events where type = 'task.waiting'`)).toEqual([]);
    expect(requests.filter(({ model }) => model === 'spare')).toHaveLength(tasks.length);
    const [fallback] = await rows<{ data: object }>(
      `select data from task_events where type = 'model.fallback' limit 1`,
    );
    expect(fallback?.data).toMatchObject({ from: 'scripted:test', to: 'scripted:spare', reason: 'outage' });
    expect(await metric('model_fallbacks_total')).toMatch(/from="scripted:test",to="scripted:spare"\} \d+/);
    // While the circuit is open, no task calls the first model.
    const before = requests.filter(({ model }) => model === 'test').length;
    await start('local');
    await until('every task is completed', allCompleted, drill);
    expect(requests.filter(({ model }) => model === 'test')).toHaveLength(before);
  });

  test('waits in spite of a fallback if the agent’s policy says so', async () => {
    harness = await createTaskHarness({
      ALFRED_AGENTS: '{"knowledge": {"model": "scripted:test,scripted:spare", "onOutage": "wait"}}',
      ALFRED_OUTAGE_FAILURES: '2',
      ALFRED_OUTAGE_PROBE_S: String(probeS),
    });
    let isDown = true;
    const requests = harness.script(() => (isDown ? down() : { text: ['Back again.'] }));
    const { id } = await harness.start();
    await until('one task waits', async () => (await waitingTasks()) === 1, drill);
    isDown = false;
    expect((await harness.followToEnd(id)).at(-1)?.type).toBe('task.completed');
    expect(requests.every(({ model }) => model === 'test')).toBe(true);
  });
});

describe('a model whose provider refuses the key', () => {
  const refused = () => ({ error: new AlfredError('model_auth', 'The provider answered 401.') });

  test('ends no task: the first refusal opens the circuit, and the task goes on when the key works again', async () => {
    harness = await createTaskHarness({ ALFRED_OUTAGE_PROBE_S: String(probeS) });
    let isRefused = true;
    harness.tool('look', async () => ({ output: {}, summary: 'looked' }));
    harness.script((_, call) => {
      if (call === 1) return { calls: [{ tool: 'look', arguments: {} }] };
      return isRefused ? refused() : { text: ['Paid again.'] };
    });
    const { id } = await harness.start();
    const { waiting } = await until('the task waits', () => harness.row(id), {
      accept: (row) => row.waiting !== null,
    });
    expect(waiting).toMatchObject({
      reason: 'outage',
      because: 'auth',
      model: 'scripted:test',
      message: expect.stringContaining('check the key'),
    });
    isRefused = false;
    expect((await harness.followToEnd(id)).at(-1)).toMatchObject({
      type: 'task.completed',
      data: { result: { text: 'Paid again.' } },
    });
    // The first step is not repeated.
    expect((await rows(`select from model_calls where outcome = 'completed'`)).length).toBe(2);
  });

  test('is replaced by the fallback; a person can end a task that waits', async () => {
    harness = await createTaskHarness({ ALFRED_MODEL: 'scripted:test,scripted:spare', ALFRED_OUTAGE_PROBE_S: '60' });
    let hasSpare = true;
    harness.script(({ model }) => (model === 'spare' && hasSpare ? { text: ['From the spare.'] } : refused()));
    const { id } = await harness.start();
    const events = await harness.followToEnd(id);
    expect(events.find(({ type }) => type === 'model.fallback')).toMatchObject({ data: { reason: 'auth' } });
    expect(events.at(-1)?.type).toBe('task.completed');

    hasSpare = false;
    const { id: second, handle } = await harness.start();
    await until('the task waits', () => harness.row(second), { accept: ({ status }) => status === 'waiting' });
    await handle.cancel();
    expect((await harness.followToEnd(second)).at(-1)?.type).toBe('task.cancelled');
  });
});
