import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { createScheduleAlignment } from '../../adapters/temporal/schedule-alignment.ts';
import { scheduleView } from '../../api/schedule-view.ts';
import { scheduleWorkflowId, systemQueue, taskWorkflowId } from '../../contract/ids.ts';
import { createLogger } from '../../runtime/logger.ts';
import { resetWorkflow } from '../support/tasks/reset-workflow.ts';
import { until } from '../support/until.ts';
import type { AnyJson } from './checked-client.ts';
import { ask, createScheduleHarness, everySecond, hourly, textOf, type ScheduleHarness } from './schedule-harness.ts';

const silent = createLogger({ ALFRED_LOG_LEVEL: 'silent', ALFRED_LOG_FORMAT: 'json' }, 'test');

let api: ScheduleHarness;
beforeAll(async () => {
  api = await createScheduleHarness();
});
afterAll(() => api?.close());
afterEach(() => api.cleanUp());

describe('runs', () => {
  test('an interval runs tasks repeatedly, with the roles of the user who created the schedule', async () => {
    api.quickModel();
    const { id } = await api.create({ timing: everySecond });
    const { recentRuns } = await api.runs(id, 3);
    expect(new Set(recentRuns.map(({ taskId }: AnyJson) => taskId)).size).toBe(recentRuns.length);
    const task = await api.ended(recentRuns.at(-1).taskId);
    expect(task).toMatchObject({ status: 'completed', scheduleId: id, result: { text: 'Forty-two.' } });
    const { rows } = await api.postgres.pool.query('select roles from tasks where id = $1', [task.id]);
    expect(rows).toEqual([{ roles: ['accounting'] }]);
    // A scheduled task is started like any other.
    const { taskQueue, priority, typedSearchAttributes } = await api.client.workflow
      .getHandle(taskWorkflowId(task.id))
      .describe();
    expect({ taskQueue, priority }).toMatchObject({
      taskQueue: 'agent-knowledge',
      priority: { fairnessKey: 'local', fairnessWeight: 1 },
    });
    expect(JSON.stringify(typedSearchAttributes)).toContain('AlfredTenant');
  });

  test('run makes one run, also while the schedule is paused, and its question is not in Temporal', async () => {
    api.quickModel();
    const { id } = await api.create({ paused: true, name: 'Purple elephants', note: 'for the purple board' });
    expect((await api.act(id, 'run')).status).toBe(202);
    const { recentRuns } = await api.runs(id, 1);
    await api.ended(recentRuns[0].taskId);
    const run = await api.workflow(id, 'COMPLETED');
    const history = await api.client.workflow.getHandle(run.workflowId).fetchHistory();
    const schedule = await api.inTemporal(id).describe();
    const task = await api.client.workflow.getHandle(taskWorkflowId(recentRuns[0].taskId)).fetchHistory();
    for (const stored of [history, schedule, task]) expect(textOf(stored)).not.toMatch(/purple/i);
    expect(textOf(history)).toContain(id);
    expect((await api.read(id)).recentRuns).toEqual([
      { at: expect.any(String), taskId: recentRuns[0].taskId, conversationId: null, messageId: null, error: null },
    ]);
  });

  test.each(['RUNNING', 'COMPLETED'])('resetting a %s run in Temporal creates no second task', async (status) => {
    const { release } = api.blockedModel();
    const { id } = await api.create();
    await api.act(id, 'run');
    const { recentRuns } = await api.runs(id, 1);
    if (status === 'COMPLETED') release();
    const { workflowId, runId } = await api.workflow(id, status);
    await until('the start of its task', () => api.taskOf(recentRuns[0].taskId), {
      accept: (task) => task.status !== 'queued',
    });
    await resetWorkflow(api, workflowId, { eventId: 4, runId });
    release();
    const handle = api.client.workflow.getHandle(workflowId);
    expect((await handle.describe()).runId).not.toBe(runId);
    expect(await handle.result()).toBe('completed');
    const { rows } = await api.postgres.pool.query(
      'select count(*)::int as tasks from tasks where idempotency_key like $1',
      [`schedule/${id}%`],
    );
    expect(rows).toEqual([{ tasks: 1 }]);
    expect((await api.read(id)).recentRuns).toHaveLength(1);
    // For the audit log, which the API writes.
    const done = await api.postgres.pool.query(
      'select tenant, action, resource_id, outcome from audit_pending where client = $1',
      [`schedule ${id}`],
    );
    const resource_id = recentRuns[0].taskId;
    expect(done.rows).toEqual([{ tenant: 'local', action: 'task.start', resource_id, outcome: 'ok' }]);
  });

  test('a failed task fails its run; with pauseOnFailure the schedule pauses with the reason', async () => {
    api.script([]);
    const { id } = await api.create({ timing: { ...everySecond, pauseOnFailure: true } });
    const paused = await until('a pause', () => api.read(id), { accept: (schedule) => schedule.paused });
    expect(paused).toMatchObject({ state: 'scheduled', nextRuns: [] });
    expect(paused.note).toMatch(/fail/i);
    // The answer that first says `paused` may have been read before the run's error was stored.
    const failed = (await api.read(id)).recentRuns.at(-1);
    expect(failed.error).toMatchObject({ code: 'model_rejected' });
    expect(await api.taskOf(failed.taskId)).toMatchObject({ status: 'failed', error: failed.error });
    await api.workflow(id, 'FAILED');
    // Changing another field does not resume the schedule.
    expect((await api.patch(id, { name: 'Still' })).body).toMatchObject({ name: 'Still', paused: true });
    api.quickModel();
    const before = (await api.read(id)).recentRuns.length;
    expect((await api.act(id, 'resume')).body).toMatchObject({ paused: false, note: null });
    await api.runs(id, before + 1);
  });

  test('an agent that no longer exists fails the run, and the schedule goes on', async () => {
    api.quickModel();
    const { id } = await api.create({ timing: everySecond, paused: true });
    await api.postgres.pool.query(
      `update schedules set action = jsonb_set(action, '{task,agent}', '"gone"') where id = $1`,
      [id],
    );
    await api.act(id, 'run');
    const { recentRuns } = await api.runs(id, 1);
    expect(recentRuns[0]).toMatchObject({
      taskId: null,
      error: { code: 'unknown_agent', message: expect.stringContaining('"gone"') },
    });
    await api.workflow(id, 'FAILED');
    await api.patch(id, { action: ask, paused: false });
    const { recentRuns: later } = await api.runs(id, 3);
    expect(later[0]).toMatchObject({ error: null, taskId: expect.any(String) });
  });
});

describe('overlap', () => {
  test.each([
    ['skip', 1],
    ['buffer_one', 2],
    ['buffer_all', 3],
    ['allow_all', 3],
  ])('three runs on request, with %s, create %i tasks', async (overlap, count) => {
    const { release } = api.blockedModel();
    const { id } = await api.create({ timing: { ...hourly, overlap } });
    const handle = api.inTemporal(id);
    const counts = async () => {
      const { info, raw } = await handle.describe();
      const waiting = Number(raw.info?.bufferSize ?? 0);
      return { known: info.numActionsTaken + info.numActionsSkippedOverlap + waiting, waiting };
    };
    for (const time of [1, 2, 3]) {
      await api.act(id, 'run');
      await until(`run ${time} is started, buffered or skipped`, counts, { accept: ({ known }) => known === time });
      // Temporal merges runs within the same second.
      const second = Math.floor(Date.now() / 1_000);
      await until('the next second', async () => Math.floor(Date.now() / 1_000), { accept: (now) => now > second });
    }
    release();
    await until('no run is buffered', counts, { accept: ({ waiting }) => waiting === 0 });
    const { recentRuns } = await until(`the end of ${count} tasks`, () => api.read(id), {
      accept: (schedule) => schedule.running === 0 && schedule.recentRuns.length >= count,
    });
    expect(recentRuns).toHaveLength(count);
  });

  test('skip leaves out runs while the previous one is running', async () => {
    const { release } = api.blockedModel();
    const { id } = await api.create({ timing: { ...everySecond, overlap: 'skip' } });
    const { recentRuns } = await api.runs(id, 1);
    const handle = api.inTemporal(id);
    await until('two runs are skipped', () => handle.describe(), {
      accept: ({ info }) => info.numActionsSkippedOverlap >= 2,
    });
    expect(await api.read(id)).toMatchObject({ running: 1, recentRuns: [{ taskId: recentRuns[0].taskId }] });
    release();
    await api.runs(id, 2);
    expect((await api.ended(recentRuns[0].taskId)).status).toBe('completed');
  });

  test('allow_all lets runs overlap', async () => {
    const { release } = api.blockedModel();
    const { id } = await api.create({ timing: { ...everySecond, overlap: 'allow_all' } });
    const { info } = await until('three runs are started or skipped', () => api.inTemporal(id).describe(), {
      accept: ({ info: counts }) => counts.numActionsTaken + counts.numActionsSkippedOverlap >= 3,
    });
    const { running } = await until('every started run has a task', () => api.read(id), {
      accept: (schedule) => schedule.running >= info.numActionsTaken,
    });
    expect(running).toBeGreaterThanOrEqual(3);
    await api.act(id, 'pause');
    release();
    await until('the end of all tasks', () => api.read(id), { accept: (schedule) => schedule.running === 0 });
  });

  test('cancel_other cancels the task of the previous run', async () => {
    const { release } = api.blockedModel();
    const { id } = await api.create({ timing: { ...everySecond, overlap: 'cancel_other' } });
    const { recentRuns } = await api.runs(id, 2);
    expect(await api.ended(recentRuns.at(-1).taskId)).toMatchObject({ status: 'cancelled' });
    await api.workflow(id, 'CANCELLED');
    await api.act(id, 'pause');
    release();
    expect(recentRuns.at(-1).error).toBeNull();
  });

  test('a run that is cancelled before it began leaves no waiting task', async () => {
    const { id } = await api.create();
    const handle = await api.client.workflow.start('scheduledRunWorkflow', {
      workflowId: `${scheduleWorkflowId(id)}-soon`,
      taskQueue: systemQueue,
      args: [{ scheduleId: id, ...api.scope }],
      // So that the first workflow task contains both the start and the cancellation.
      startDelay: '1 s',
    });
    await handle.cancel();
    await expect(handle.result()).rejects.toMatchObject({ cause: { name: 'CancelledFailure' } });
    const [{ taskId }] = (await api.read(id)).recentRuns;
    expect(await api.taskOf(taskId)).toMatchObject({ status: 'cancelled', startedAt: null });
  });

  test('cancelling a task completes its run without an error', async () => {
    api.blockedModel();
    const { id } = await api.create();
    await api.act(id, 'run');
    const { recentRuns } = await api.runs(id, 1);
    await api.http.post(`/v1/tasks/${recentRuns[0].taskId}/cancel`, {});
    await api.workflow(id, 'COMPLETED');
    expect((await api.read(id)).recentRuns[0].error).toBeNull();
  });
});

test('fields that a request does not take are refused, also where it takes none', async () => {
  const { id } = await api.create();
  const pause = (body: object) => api.http.json('POST', `/v1/schedules/${id}/pause`, body);
  expect(await pause({ note: 'hi' })).toMatchObject({ status: 422, body: { code: 'invalid_request' } });
  expect(await pause(['note'])).toMatchObject({ status: 422 });
  expect(await api.read(id)).toMatchObject({ paused: false });
  expect(await pause({})).toMatchObject({ status: 200, body: { paused: true } });
});

test('a schedule whose last run is over says that it does not run again', async () => {
  const { id } = await api.create();
  const row = await api.schedules.get(api.scope, id);
  const status = { state: 'scheduled' as const, paused: false, note: '', nextRuns: [] };
  expect(row && scheduleView(row, row, status, { self: '', temporal: '' })).toMatchObject({
    warnings: [expect.stringContaining('does not run again')],
  });
});

test('a change that never reached Temporal arrives there with the sweep; a pause by Temporal stays', async () => {
  const { id } = await api.create();
  const align = () => createScheduleAlignment({ ...api, log: silent }).align();
  const inTemporal = async () => {
    const { state, spec } = await api.inTemporal(id).describe();
    return { paused: state.paused, everyMs: spec.intervals?.[0]?.every };
  };
  // The process ends between the commit and the call to Temporal.
  const write = (change: string) =>
    api.postgres.pool.query(`update schedules set ${change}, updated_at = now() where id = $1`, [id]);
  await write(`paused = true, timing = timing || '{"everyS": 7200}'`);
  await align();
  expect(await inTemporal()).toEqual({ paused: true, everyMs: 7_200_000 });
  await write('paused = false');
  await align();
  expect(await inTemporal()).toEqual({ paused: false, everyMs: 7_200_000 });
  // Long ago: the sweep stood still.
  const late = (change: string) =>
    api.postgres.pool.query(
      `update schedules set ${change}, updated_at = now() - interval '3 hours',
         temporal_at = temporal_at - interval '4 hours' where id = $1`,
      [id],
    );
  await late('paused = true');
  await align();
  expect(await inTemporal()).toEqual({ paused: true, everyMs: 7_200_000 });
  // A change of something else brings an earlier one along.
  await late('paused = false');
  await api.patch(id, { name: 'Still' });
  expect(await inTemporal()).toEqual({ paused: false, everyMs: 7_200_000 });
  const { rows } = await api.postgres.pool.query(
    'select temporal_at >= updated_at as sent from schedules where id = $1',
    [id],
  );
  expect(rows).toEqual([{ sent: true }]);
  await api.inTemporal(id).pause('paused due to workflow failure');
  await align();
  expect(await inTemporal()).toEqual({ paused: true, everyMs: 7_200_000 });
});
