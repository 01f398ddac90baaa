import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { scheduleWorkflowId, sourceScheduleId, sweepScheduleId, taskWorkflowId } from '../../contract/ids.ts';
import { ScheduleRequest } from '../../contract/schedule.ts';
import { SourceRequest } from '../../contract/sources.ts';
import { taskStartOptions } from '../../contract/task-start.ts';
import { freePort } from '../../deploy/local/ports/ports.ts';
import { obtainTemporalBinary } from '../../deploy/local/servers/temporal-binary.ts';
import { startTemporalServer, type TemporalServer } from '../../deploy/local/servers/temporal-server.ts';
import { checkNamespace } from '../../runtime/temporal-namespace.ts';
import { alfred } from '../cli/run-alfred.ts';
import { startRole } from '../support/processes/role-process.ts';
import { createTaskHarness, scope, type TaskHarness } from '../support/tasks/task-harness.ts';
import { until } from '../support/until.ts';
import { createLogger } from '../../runtime/logger.ts';
import { person } from '../support/principals.ts';

const principal = person(scope.subject, { tenant: scope.tenant, roles: ['approver'] });
const silent = createLogger({ ALFRED_LOG_LEVEL: 'silent', ALFRED_LOG_FORMAT: 'json' }, 'test');

let dir: string;
let port: number;
let temporal: TemporalServer;
let harness: TaskHarness;

/** A Temporal server with its data in a file that the test deletes. */
const startTemporal = async () =>
  startTemporalServer({
    binary: await obtainTemporalBinary({ log: silent }),
    port,
    dbFile: join(dir, 'temporal.db'),
    logFile: join(dir, 'temporal.log'),
    log: silent,
  });

async function loseTemporal(between: () => Promise<unknown>) {
  await temporal.stop();
  await between();
  for (const end of ['', '-wal', '-shm']) await rm(join(dir, `temporal.db${end}`), { force: true });
  temporal = await startTemporal();
}

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'alfred-lost-temporal-'));
  port = await freePort();
  temporal = await startTemporal();
  harness = await createTaskHarness({
    TEMPORAL_ADDRESS: temporal.address,
    TEMPORAL_NAMESPACE: 'default',
    ALFRED_SWEEP_INTERVAL_S: '1',
    ALFRED_AGENTS: JSON.stringify({ knowledge: { approvals: [{ tool: 'pay', approvers: { roles: ['approver'] } }] } }),
  });
});
afterAll(async () => {
  await harness?.close();
  await temporal?.stop();
  await rm(dir, { recursive: true, force: true });
});

const isRunning = async (id: string) => (await harness.workflows.describe(taskWorkflowId(id))).status === 'running';
const waiting = (id: string, reason: string) =>
  until(`${id} waits for ${reason}`, () => harness.row(id), { accept: (row) => row.waiting?.reason === reason });

test('Temporal’s database is deleted in the middle of tasks: they end right from their rows, and nothing is paid twice', async () => {
  const paid: string[] = [];
  const gate = Promise.withResolvers<void>();
  let reads = 0;
  harness.tool(
    'pay',
    async (_, { beforeSend, receiptKey }) => {
      await beforeSend();
      paid.push(receiptKey);
      return { output: 'paid', summary: 'paid' };
    },
    { effect: 'write' },
  );
  harness.tool('look', async () => {
    reads++;
    await gate.promise;
    return { output: 'seen', summary: 'looked' };
  });
  // The first step of a task calls the tool that its question names; the second one answers.
  const requests = harness.script(({ messages }) => {
    const question = messages.find((message) => message.role === 'user')?.text ?? '';
    if (messages.some(({ role }) => role === 'tool')) return { text: [`Done: ${question}`] };
    return { calls: [{ tool: question, arguments: {} }] };
  });
  const ask = (text: string, request = {}) => harness.start({ input: { text }, ...request });

  const approving = await ask('pay');
  const broke = await ask('look', { budget: { maxModelCalls: 1 } });
  const looking = await ask('look');
  const unwanted = await ask('pay');
  const queued = await harness.tasks.create(scope, { agent: 'assistant', input: { text: 'later' } }, {});
  await harness.client.workflow.start(
    'agentTaskWorkflow',
    taskStartOptions({ taskId: queued.id, agent: 'assistant', head: queued.head, ...scope }, {}),
  );
  const all = [approving.id, broke.id, looking.id, unwanted.id, queued.id];
  const { approvals } = (await waiting(approving.id, 'approval')).waiting ?? {};
  await waiting(unwanted.id, 'approval');
  await until('both tools run', () => reads === 2);
  const schedule = await harness.control.schedules.create(
    principal,
    ScheduleRequest.parse({
      name: 'daily',
      timing: { cron: '0 6 * * *', timeZone: 'UTC' },
      action: { task: { agent: 'knowledge', input: { text: 'look' } } },
    }),
    {},
  );
  const source = await harness.sources.create(
    scope,
    SourceRequest.parse({ address: 'https://docs.example.com/', everyS: 3_600 }),
  );

  const deps = { db: harness.postgres.db, client: harness.client, config: harness.config };
  await checkNamespace(deps);
  await loseTemporal(() => harness.tasks.recordCancelRequest(scope, unwanted.id, { by: 'local' }));

  // Nothing happens until a person says that it was no mistake.
  await expect(checkNamespace(deps)).rejects.toMatchObject({ code: 'wrong_namespace' });
  const { DATABASE_URL, TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, ALFRED_DATA_DIR } = harness.config;
  const environment = { DATABASE_URL, TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, ALFRED_DATA_DIR };
  const worker = startRole('workers/main.ts', ['--queue', 'system'], harness.config);
  await expect(worker.ready).rejects.toThrow(/ended \(1\)[^]*--temporal-moved/);
  const refused = await alfred(['setup'], environment);
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('--temporal-moved') });
  await harness.postgres.pool.query(`update tasks set updated_at = now() - interval '5 minutes'`);
  const moved = await alfred(['setup', '--temporal-moved'], environment);
  expect(moved).toMatchObject({ code: 0, stdout: expect.stringContaining('start again from their rows') });

  for (const id of [sweepScheduleId, scheduleWorkflowId(schedule.id), sourceScheduleId(source.id)])
    expect((await harness.client.schedule.getHandle(id).describe()).scheduleId).toBe(id);
  await until('the queued task has a workflow again', () => isRunning(queued.id));
  await until('the task with a question has a workflow again', () => isRunning(approving.id));
  gate.resolve();
  await until('it waits for the same approval', async () =>
    harness.control.approvals.decide(principal, approvals?.[0] ?? '', { decision: 'approve' }).catch(() => undefined),
  );
  await waiting(broke.id, 'budget');
  await harness.control.tasks.grantBudget(scope, broke.id, { maxModelCalls: 5 });

  for (const { id } of [approving, broke, looking, unwanted]) await harness.followToEnd(id);
  const rows = await Promise.all(all.map((id) => harness.row(id)));
  expect(rows.map(({ status, result }) => [status, result?.text])).toEqual([
    ['completed', 'Done: pay'],
    ['completed', 'Done: look'],
    ['completed', 'Done: look'],
    ['cancelled', undefined],
    ['queued', undefined],
  ]);
  expect(paid).toHaveLength(1);
  const { rows: calls } = await harness.postgres.pool.query<{ outcome: string; n: number }>(
    'select outcome, count(*)::int as n from model_calls group by outcome',
  );
  // Two steps of three tasks, and the first of the one that was cancelled.
  expect(calls).toEqual([{ outcome: 'completed', n: 7 }]);
  expect(requests).toHaveLength(7);
});
