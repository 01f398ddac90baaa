import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { scheduleWorkflowId, systemQueue, taskWorkflowId } from '../../contract/ids.ts';
import { until } from '../support/until.ts';
import type { AnyJson } from './checked-client.ts';
import { ask, createScheduleHarness, everySecond, hourly, textOf, type ScheduleHarness } from './schedule-harness.ts';

let api: ScheduleHarness;
beforeAll(async () => {
  api = await createScheduleHarness();
});
afterAll(() => api?.close());
afterEach(() => api.cleanUp());

describe('runs', () => {
  test('an interval of a second runs tasks again and again, with the roles of whoever made it', async () => {
    api.quickModel();
    const { id } = await api.create({ timing: everySecond });
    const { recentRuns } = await api.runs(id, 3);
    expect(new Set(recentRuns.map(({ taskId }: AnyJson) => taskId)).size).toBe(recentRuns.length);
    const task = await api.ended(recentRuns.at(-1).taskId);
    expect(task).toMatchObject({ status: 'completed', result: { text: 'Forty-two.' } });
    const { rows } = await api.postgres.pool.query('select roles from tasks where id = $1', [task.id]);
    expect(rows).toEqual([{ roles: ['accounting'] }]);
    // A scheduled task starts as any other one does.
    const { taskQueue, priority, typedSearchAttributes } = await api.client.workflow
      .getHandle(taskWorkflowId(task.id))
      .describe();
    expect({ taskQueue, priority }).toMatchObject({
      taskQueue: 'agent-knowledge',
      priority: { fairnessKey: 'local', fairnessWeight: 1 },
    });
    expect(JSON.stringify(typedSearchAttributes)).toContain('AlfredTenant');
  });

  test('run now makes one run, also while the schedule is paused, and nothing of what it asks is in Temporal', async () => {
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

  test.each(['RUNNING', 'COMPLETED'])('a run that is %s and reset in Temporal makes no second task', async (status) => {
    const { release } = api.blockedModel();
    const { id } = await api.create();
    await api.act(id, 'run');
    const { recentRuns } = await api.runs(id, 1);
    if (status === 'COMPLETED') release();
    const { workflowId, runId } = await api.workflow(id, status);
    await until('the start of its task', () => api.taskOf(recentRuns[0].taskId), {
      accept: (task) => task.status !== 'queued',
    });
    await api.client.workflowService.resetWorkflowExecution({
      namespace: api.config.TEMPORAL_NAMESPACE,
      workflowExecution: { workflowId, runId },
      reason: 'by hand',
      workflowTaskFinishEventId: 4 as never, // typed as Long, taken as a number
      requestId: crypto.randomUUID(),
    });
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
  });

  test('a task that fails, fails its run, and with pauseOnFailure the schedule pauses and says why', async () => {
    api.script([]);
    const { id } = await api.create({ timing: { ...everySecond, pauseOnFailure: true } });
    const paused = await until('a pause', () => api.read(id), { accept: (schedule) => schedule.paused });
    expect(paused).toMatchObject({ state: 'scheduled', nextRuns: [] });
    expect(paused.note).toMatch(/fail/i);
    const failed = paused.recentRuns.at(-1);
    expect(failed.error).toMatchObject({ code: 'model_rejected' });
    expect(await api.taskOf(failed.taskId)).toMatchObject({ status: 'failed', error: failed.error });
    await api.workflow(id, 'FAILED');
    // A change of something else leaves Temporal’s pause alone.
    expect((await api.patch(id, { name: 'Still' })).body).toMatchObject({ name: 'Still', paused: true });
    api.quickModel();
    const before = (await api.read(id)).recentRuns.length;
    expect((await api.act(id, 'resume')).body).toMatchObject({ paused: false, note: null });
    await api.runs(id, before + 1);
  });

  test('an agent that is gone fails the run, and the schedule goes on', async () => {
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
  ])('three times run now, with %s, makes %i tasks', async (overlap, count) => {
    const { release } = api.blockedModel();
    const { id } = await api.create({ timing: { ...hourly, overlap } });
    const handle = api.inTemporal(id);
    const seen = async () => {
      const { info, raw } = await handle.describe();
      const waiting = Number(raw.info?.bufferSize ?? 0);
      return { known: info.numActionsTaken + info.numActionsSkippedOverlap + waiting, waiting };
    };
    for (const time of [1, 2, 3]) {
      await api.act(id, 'run');
      await until(`run ${time} to be taken, kept or skipped`, seen, { accept: ({ known }) => known === time });
      // Runs within one second are one.
      const second = Math.floor(Date.now() / 1_000);
      await until('the next second', async () => Math.floor(Date.now() / 1_000), { accept: (now) => now > second });
    }
    release();
    await until('every run to begin', seen, { accept: ({ waiting }) => waiting === 0 });
    const { recentRuns } = await until(`the end of ${count}`, () => api.read(id), {
      accept: (schedule) => schedule.running === 0 && schedule.recentRuns.length >= count,
    });
    expect(recentRuns).toHaveLength(count);
  });

  test('skip leaves a run out while the one before is under way', async () => {
    const { release } = api.blockedModel();
    const { id } = await api.create({ timing: { ...everySecond, overlap: 'skip' } });
    const { recentRuns } = await api.runs(id, 1);
    const handle = api.inTemporal(id);
    await until('two runs that were skipped', () => handle.describe(), {
      accept: ({ info }) => info.numActionsSkippedOverlap >= 2,
    });
    expect(await api.read(id)).toMatchObject({ running: 1, recentRuns: [{ taskId: recentRuns[0].taskId }] });
    release();
    await api.runs(id, 2);
    expect((await api.ended(recentRuns[0].taskId)).status).toBe('completed');
  });

  test('allow_all lets runs work side by side', async () => {
    const { release } = api.blockedModel();
    const { id } = await api.create({ timing: { ...everySecond, overlap: 'allow_all' } });
    await until('three tasks at once', () => api.read(id), { accept: ({ running }) => running >= 3 });
    await api.act(id, 'pause');
    release();
    await until('the end of all', () => api.read(id), { accept: ({ running }) => running === 0 });
  });

  test('cancel_other cancels the task of the run before', async () => {
    const { release } = api.blockedModel();
    const { id } = await api.create({ timing: { ...everySecond, overlap: 'cancel_other' } });
    const { recentRuns } = await api.runs(id, 2);
    expect(await api.ended(recentRuns.at(-1).taskId)).toMatchObject({ status: 'cancelled' });
    await api.workflow(id, 'CANCELLED');
    await api.act(id, 'pause');
    release();
    expect(recentRuns.at(-1).error).toBeNull();
  });

  test('a run that is cancelled before it began leaves no task behind that waits', async () => {
    const { id } = await api.create();
    const handle = await api.client.workflow.start('scheduledRunWorkflow', {
      workflowId: `${scheduleWorkflowId(id)}-soon`,
      taskQueue: systemQueue,
      args: [{ scheduleId: id, ...api.scope }],
      // So that it finds both its start and its cancellation.
      startDelay: '1 s',
    });
    await handle.cancel();
    await expect(handle.result()).rejects.toMatchObject({ cause: { name: 'CancelledFailure' } });
    const [{ taskId }] = (await api.read(id)).recentRuns;
    expect(await api.taskOf(taskId)).toMatchObject({ status: 'cancelled', startedAt: null });
  });

  test('a task that somebody cancels ends its run, which has not failed', async () => {
    api.blockedModel();
    const { id } = await api.create();
    await api.act(id, 'run');
    const { recentRuns } = await api.runs(id, 1);
    await api.http.post(`/v1/tasks/${recentRuns[0].taskId}/cancel`, {});
    await api.workflow(id, 'COMPLETED');
    expect((await api.read(id)).recentRuns[0].error).toBeNull();
  });
});
