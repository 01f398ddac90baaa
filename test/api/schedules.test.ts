import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { scheduleWorkflowId, systemQueue, taskWorkflowId } from '../../contract/ids.ts';
import { createApiHarness, type ApiHarness } from './api-server.ts';
import type { Wire } from './checked-client.ts';

const secretOf = `whsec_${'QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVoxMjM0NTY='}`;
const question = 'What is the purple elephant worth?';

const sent: { by: readonly string[]; conversationId: string; id: string; text: string }[] = [];
let answer: (conversationId: string, id: string) => Promise<{ taskId: string | null }> = async () => ({ taskId: null });

let api: ApiHarness;
beforeAll(async () => {
  api = await createApiHarness(
    {},
    {
      identify: ({ 'x-subject': subject = 'local' }) => ({
        tenant: 'local',
        subject: String(subject),
        roles: ['accounting'],
      }),
    },
    {
      messages: {
        async submit({ roles }, conversationId, { id, text }) {
          sent.push({ by: roles, conversationId, id, text });
          return answer(conversationId, id);
        },
      },
    },
  );
});
afterAll(() => api?.close());

/** Schedules of a test end with it. */
const made: string[] = [];
afterEach(async () => {
  for (const id of made.splice(0)) await api.http.request(`/v1/schedules/${id}`, { method: 'DELETE' });
});

const hourly = { everyS: 3_600 };
const everySecond = { everyS: 1 };
const ask = { task: { input: { text: question } } };
const body = (changes: object = {}) => ({ name: 'Prices', timing: hourly, action: ask, ...changes });
const create = async (changes: object = {}, headers = {}) => {
  const { status, headers: answered, body: schedule } = await api.http.post('/v1/schedules', body(changes), headers);
  expect({ status, schedule }).toMatchObject({ status: 201 });
  expect(answered.get('location')).toBe(`/v1/schedules/${schedule.id}`);
  made.push(schedule.id);
  return schedule;
};
const read = async (id: string) => (await api.http.get(`/v1/schedules/${id}`)).body;
const act = (id: string, verb: string) => api.http.request(`/v1/schedules/${id}/${verb}`, { method: 'POST' });
const patch = (id: string, change: object) => api.http.json('PATCH', `/v1/schedules/${id}`, change);
const taskOf = async (id: string) => (await api.http.get(`/v1/tasks/${id}`)).body;
const listed = async () => (await api.http.get('/v1/schedules')).body.schedules as Wire[];

/** The schedule once it is as wanted. */
async function until<T>(look: () => Promise<T>, isSo: (seen: T) => boolean, what: string): Promise<T> {
  const deadline = Date.now() + 30_000;
  for (;;) {
    const seen = await look();
    if (isSo(seen)) return seen;
    if (Date.now() > deadline) throw new Error(`waited in vain: ${what}\n${JSON.stringify(seen, null, 1)}`);
    await sleep(50);
  }
}
const runs = (id: string, count: number) =>
  until(
    () => read(id),
    (schedule) => schedule.recentRuns.length >= count,
    `${count} runs`,
  );
const ended = (taskId: string) =>
  until(
    () => taskOf(taskId),
    (task) => task.endedAt !== null,
    'the end of a task',
  );
/** The workflows of a schedule’s runs, oldest first. */
async function workflowsOf(id: string) {
  const all = [];
  for await (const one of api.client.workflow.list({ query: `WorkflowType = 'scheduledRunWorkflow'` }))
    if (one.workflowId.startsWith(scheduleWorkflowId(id)))
      all.push({ workflowId: one.workflowId, runId: one.runId, status: one.status.name });
  return all.sort((a, b) => (a.workflowId < b.workflowId ? -1 : 1));
}
const overWith = (id: string, status: string) =>
  until(
    () => workflowsOf(id),
    (all) => all.some((one) => one.status === status),
    `a run that is ${status}`,
  );

/** A model that answers nothing until it is told to, or its call is cancelled. */
function slowModel() {
  const { promise, resolve } = Promise.withResolvers<void>();
  api.script(() => ({
    text: ['Slowly.'],
    until: (signal) =>
      Promise.race([
        promise,
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
      ]),
  }));
  return { letGo: resolve };
}
const quickModel = () => api.script(() => ({ text: ['Forty-two.'] }));

describe('runs', () => {
  test('an interval of a second runs tasks again and again, with the roles of whoever made it', async () => {
    quickModel();
    const { id } = await create({ timing: everySecond });
    const { recentRuns } = await runs(id, 3);
    expect(new Set(recentRuns.map(({ taskId }: Wire) => taskId)).size).toBe(recentRuns.length);
    const task = await ended(recentRuns.at(-1).taskId);
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
    quickModel();
    const { id } = await create({ paused: true, name: 'Purple elephants', note: 'for the purple board' });
    expect((await act(id, 'run')).status).toBe(202);
    const { recentRuns } = await runs(id, 1);
    await ended(recentRuns[0].taskId);
    const [run] = await overWith(id, 'COMPLETED');
    const history = await api.client.workflow.getHandle(run?.workflowId ?? '').fetchHistory();
    const schedule = await api.client.schedule.getHandle(scheduleWorkflowId(id)).describe();
    const task = await api.client.workflow.getHandle(taskWorkflowId(recentRuns[0].taskId)).fetchHistory();
    for (const stored of [history, schedule, task]) expect(textOf(stored)).not.toMatch(/purple/i);
    expect(textOf(history)).toContain(id);
    expect((await read(id)).recentRuns).toEqual([
      { at: expect.any(String), taskId: recentRuns[0].taskId, conversationId: null, messageId: null, error: null },
    ]);
  });

  test.each(['RUNNING', 'COMPLETED'])('a run that is %s and reset in Temporal makes no second task', async (status) => {
    const { letGo } = slowModel();
    const { id } = await create();
    await act(id, 'run');
    const { recentRuns } = await runs(id, 1);
    if (status === 'COMPLETED') letGo();
    const [{ workflowId, runId } = { workflowId: '', runId: '' }] = await overWith(id, status);
    await until(
      () => taskOf(recentRuns[0].taskId),
      (task) => task.status !== 'queued',
      'the start of its task',
    );
    await api.client.workflowService.resetWorkflowExecution({
      namespace: api.config.TEMPORAL_NAMESPACE,
      workflowExecution: { workflowId, runId },
      reason: 'by hand',
      workflowTaskFinishEventId: 4 as never, // typed as Long, taken as a number
      requestId: crypto.randomUUID(),
    });
    letGo();
    const handle = api.client.workflow.getHandle(workflowId);
    expect((await handle.describe()).runId).not.toBe(runId);
    expect(await handle.result()).toBe('completed');
    const { rows } = await api.postgres.pool.query(
      'select count(*)::int as tasks from tasks where idempotency_key like $1',
      [`schedule/${id}%`],
    );
    expect(rows).toEqual([{ tasks: 1 }]);
    expect((await read(id)).recentRuns).toHaveLength(1);
  });

  test('a task that fails, fails its run, and with pauseOnFailure the schedule pauses and says why', async () => {
    api.script([]);
    const { id } = await create({ timing: { ...everySecond, pauseOnFailure: true } });
    const paused = await until(
      () => read(id),
      (schedule) => schedule.paused,
      'a pause',
    );
    expect(paused).toMatchObject({ state: 'scheduled', nextRuns: [] });
    expect(paused.note).toMatch(/fail/i);
    const failed = paused.recentRuns.at(-1);
    expect(failed.error).toMatchObject({ code: 'model_rejected' });
    expect(await taskOf(failed.taskId)).toMatchObject({ status: 'failed', error: failed.error });
    await overWith(id, 'FAILED');
    // A change of something else leaves Temporal’s pause alone.
    expect((await patch(id, { name: 'Still' })).body).toMatchObject({ name: 'Still', paused: true });
    quickModel();
    const before = (await read(id)).recentRuns.length;
    expect((await act(id, 'resume')).body).toMatchObject({ paused: false, note: null });
    await runs(id, before + 1);
  });

  test('an agent that is gone fails the run, and the schedule goes on', async () => {
    quickModel();
    const { id } = await create({ timing: everySecond, paused: true });
    await api.postgres.pool.query(
      `update schedules set action = jsonb_set(action, '{task,agent}', '"gone"') where id = $1`,
      [id],
    );
    await act(id, 'run');
    const { recentRuns } = await runs(id, 1);
    expect(recentRuns[0]).toMatchObject({
      taskId: null,
      error: { code: 'unknown_agent', message: expect.stringContaining('"gone"') },
    });
    await overWith(id, 'FAILED');
    await patch(id, { action: ask, paused: false });
    const { recentRuns: later } = await runs(id, 3);
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
    const { letGo } = slowModel();
    const { id } = await create({ timing: { ...hourly, overlap } });
    const handle = api.client.schedule.getHandle(scheduleWorkflowId(id));
    const seen = async () => {
      const { info, raw } = await handle.describe();
      const waiting = Number(raw.info?.bufferSize ?? 0);
      return { known: info.numActionsTaken + info.numActionsSkippedOverlap + waiting, waiting };
    };
    for (const time of [1, 2, 3]) {
      await act(id, 'run');
      await until(seen, ({ known }) => known === time, `run ${time} to be taken, kept or skipped`);
      // Runs within one second are one.
      const second = Math.floor(Date.now() / 1_000);
      await until(
        async () => Math.floor(Date.now() / 1_000),
        (now) => now > second,
        'the next second',
      );
    }
    letGo();
    await until(seen, ({ waiting }) => waiting === 0, 'every run to begin');
    const { recentRuns } = await until(
      () => read(id),
      (schedule) => schedule.running === 0 && schedule.recentRuns.length >= count,
      `the end of ${count}`,
    );
    expect(recentRuns).toHaveLength(count);
  });

  test('skip leaves a run out while the one before is under way', async () => {
    const { letGo } = slowModel();
    const { id } = await create({ timing: { ...everySecond, overlap: 'skip' } });
    const { recentRuns } = await runs(id, 1);
    const handle = api.client.schedule.getHandle(scheduleWorkflowId(id));
    await until(
      () => handle.describe(),
      ({ info }) => info.numActionsSkippedOverlap >= 2,
      'two runs that were skipped',
    );
    expect(await read(id)).toMatchObject({ running: 1, recentRuns: [{ taskId: recentRuns[0].taskId }] });
    letGo();
    await runs(id, 2);
    expect((await ended(recentRuns[0].taskId)).status).toBe('completed');
  });

  test('allow_all lets runs work side by side', async () => {
    const { letGo } = slowModel();
    const { id } = await create({ timing: { ...everySecond, overlap: 'allow_all' } });
    await until(
      () => read(id),
      ({ running }) => running >= 3,
      'three tasks at once',
    );
    await act(id, 'pause');
    letGo();
    await until(
      () => read(id),
      ({ running }) => running === 0,
      'the end of all',
    );
  });

  test('cancel_other cancels the task of the run before', async () => {
    const { letGo } = slowModel();
    const { id } = await create({ timing: { ...everySecond, overlap: 'cancel_other' } });
    const { recentRuns } = await runs(id, 2);
    expect(await ended(recentRuns.at(-1).taskId)).toMatchObject({ status: 'cancelled' });
    await overWith(id, 'CANCELLED');
    await act(id, 'pause');
    letGo();
    expect(recentRuns.at(-1).error).toBeNull();
  });

  test('a run that is cancelled before it began leaves no task behind that waits', async () => {
    const { id } = await create();
    const handle = await api.client.workflow.start('scheduledRunWorkflow', {
      workflowId: `${scheduleWorkflowId(id)}-soon`,
      taskQueue: systemQueue,
      args: [{ scheduleId: id, ...api.scope }],
      // So that it finds both its start and its cancellation.
      startDelay: '1 s',
    });
    await handle.cancel();
    await expect(handle.result()).rejects.toMatchObject({ cause: { name: 'CancelledFailure' } });
    const [{ taskId }] = (await read(id)).recentRuns;
    expect(await taskOf(taskId)).toMatchObject({ status: 'cancelled', startedAt: null });
  });

  test('a task that somebody cancels ends its run, which has not failed', async () => {
    slowModel();
    const { id } = await create();
    await act(id, 'run');
    const { recentRuns } = await runs(id, 1);
    await api.http.post(`/v1/tasks/${recentRuns[0].taskId}/cancel`, {});
    await overWith(id, 'COMPLETED');
    expect((await read(id)).recentRuns[0].error).toBeNull();
  });
});

describe('messages', () => {
  const conversationId = '01a2016f-73a4-7695-9a05-0f2fb996e093';
  const message = { conversationId, text: 'Any purple news?' };

  test('a run sends its message once, under its own id, and is over with the answer', async () => {
    const { letGo } = slowModel();
    let taskId = '';
    answer = async () => {
      const { id } = await api.start();
      taskId = id;
      return { taskId };
    };
    const { id } = await create({ action: { message } });
    await act(id, 'run');
    const [run] = await overWith(id, 'RUNNING');
    await until(
      () => read(id),
      ({ running }) => running === 1,
      'its task',
    );
    letGo();
    await overWith(id, 'COMPLETED');
    expect(sent.filter(({ id: key }) => key === run?.workflowId)).toEqual([
      { by: ['accounting'], conversationId, id: run?.workflowId, text: message.text },
    ]);
    expect((await read(id)).recentRuns).toMatchObject([
      { taskId, conversationId, messageId: run?.workflowId, error: null },
    ]);
    expect(textOf(await api.client.workflow.getHandle(run?.workflowId ?? '').fetchHistory())).not.toContain('purple');
  });

  test('a rejected message fails its run with the reason', async () => {
    answer = async () => ({ taskId: null });
    const { id } = await create({ action: { message } });
    await act(id, 'run');
    await overWith(id, 'FAILED');
    expect((await read(id)).recentRuns[0]).toMatchObject({ taskId: null, error: { code: 'conversation_busy' } });
  });

  test('a message that is dropped while it waits for its turn ends its run', async () => {
    answer = async (conversation, messageId) => {
      const taskId = '01a2016f-73a4-7695-9a05-0f2fb996e094';
      const { pool } = api.postgres;
      await pool.query(
        `insert into conversations (id, tenant, subject, agent, on_busy, request_hash)
         values ($1, 'local', 'local', 'knowledge', 'enqueue', '')`,
        [conversation],
      );
      await pool.query(
        `insert into conversation_messages (conversation_id, id, content_hash, request, request_hash, task_id, state)
         values ($1, $2, '', '{}', '', $3, 'dropped')`,
        [conversation, messageId, taskId],
      );
      return { taskId };
    };
    const { id } = await create({ action: { message } });
    await act(id, 'run');
    await overWith(id, 'COMPLETED');
    expect((await read(id)).recentRuns[0].error).toBeNull();
  });

  test('cancel_other cancels the task that answers', async () => {
    slowModel();
    const tasks: string[] = [];
    answer = async () => {
      const { id } = await api.start();
      tasks.push(id);
      return { taskId: id };
    };
    const { id } = await create({ action: { message }, timing: { ...hourly, overlap: 'cancel_other' } });
    await act(id, 'run');
    await until(
      () => read(id),
      ({ running }) => running === 1,
      'its task',
    );
    const [first = ''] = tasks;
    const [run] = await workflowsOf(id);
    await api.client.workflow.getHandle(run?.workflowId ?? '').cancel();
    expect((await ended(first)).status).toBe('cancelled');
    await overWith(id, 'CANCELLED');
  });
});

describe('POST /v1/schedules', () => {
  test('shows when it runs next, with every default', async () => {
    const schedule = await create({ timing: { cron: '0 8 * * MON-FRI', timeZone: 'Europe/Berlin' }, note: 'Mornings' });
    expect(schedule).toMatchObject({
      name: 'Prices',
      timing: {
        cron: '0 8 * * MON-FRI',
        timeZone: 'Europe/Berlin',
        overlap: 'skip',
        catchupWindowS: 3_600,
        pauseOnFailure: false,
      },
      action: { task: { agent: 'knowledge', input: { text: question } } },
      ...{ paused: false, note: 'Mornings', state: 'scheduled', recentRuns: [], running: 0 },
    });
    expect(schedule.nextRuns).toHaveLength(5);
    const berlin = new Intl.DateTimeFormat('en', {
      timeZone: 'Europe/Berlin',
      weekday: 'short',
      hour: 'numeric',
      hour12: false,
    });
    for (const at of schedule.nextRuns) expect(berlin.format(new Date(at))).toMatch(/^(?!Sat|Sun)\w{3},? 08$/);
  });

  test('the same key and body give the same schedule, also at once; another body is refused', async () => {
    const key = { 'idempotency-key': 'prices' };
    const all = await Promise.all([create({}, key), create({}, key), create({}, key)]);
    expect(new Set(all.map(({ id }) => id)).size).toBe(1);
    expect(await listed()).toHaveLength(1);
    expect(await api.http.post('/v1/schedules', body({ name: 'Other' }), key)).toMatchObject({
      status: 422,
      body: { code: 'idempotency_key_reused' },
    });
    await api.http.request(`/v1/schedules/${all[0].id}`, { method: 'DELETE' });
    const late = await api.http.post('/v1/schedules', body(), key);
    expect(late).toMatchObject({ status: 422, body: { code: 'idempotency_key_reused' } });
    expect(late.body.detail).toContain('which was deleted');
  });

  test.each([
    ['a cron with too few fields', { timing: { cron: 'every day' } }, 'timing', 'CronString does not have 5-7 fields'],
    ['a minute that does not exist', { timing: { cron: '61 * * * *' } }, 'timing', 'Minute is not in range'],
    [
      'a time zone of fiction',
      { timing: { cron: '0 8 * * *', timeZone: 'Europe/Atlantis' } },
      'timing.timeZone',
      'IANA',
    ],
    ['an offset as time zone', { timing: { cron: '0 8 * * *', timeZone: '+01:00' } }, 'timing.timeZone', 'IANA'],
    ['no time', { timing: {} }, 'timing', 'one of cron and everyS'],
    ['two times', { timing: { cron: '0 8 * * *', everyS: 60 } }, 'timing', 'one of cron and everyS'],
    ['an offset of a whole interval', { timing: { everyS: 60, offsetS: 60 } }, 'timing.offsetS', 'less than'],
    [
      'an end before its start',
      { timing: { everyS: 60, startAt: '2027-01-02T00:00:00Z', endAt: '2027-01-01T00:00:00Z' } },
      'timing.endAt',
      'not after',
    ],
    ['no action', { action: {} }, 'action', 'one of task and message'],
    ['an input that the agent does not take', { action: { task: { input: {} } } }, 'action.task.input.text', ''],
  ])('%s is refused, and nothing is left behind', async (what, changes, path, message) => {
    const key = { 'idempotency-key': what.replaceAll(' ', '-') };
    const { status, body: problem } = await api.http.post('/v1/schedules', body(changes), key);
    expect({ status, code: problem.code }).toEqual({ status: 422, code: 'invalid_request' });
    expect(problem.issues).toContainEqual({ path, message: expect.stringContaining(message) });
    const again = await Promise.all([1, 2, 3].map(() => api.http.post('/v1/schedules', body(changes), key)));
    expect(again.map((answer) => answer.body.code)).toEqual(again.map(() => 'invalid_request'));
    expect(await listed()).toEqual([]);
    // Nor does the key remember it.
    await create({}, key);
  });

  test('an unknown agent is refused', async () => {
    expect(
      await api.http.post('/v1/schedules', body({ action: { task: { ...ask.task, agent: 'tax' } } })),
    ).toMatchObject({
      status: 422,
      body: { code: 'unknown_agent' },
    });
    expect(await listed()).toEqual([]);
  });

  test('what signs a callback is never shown', async () => {
    const callback = { url: 'https://example.com/done', secret: secretOf };
    const { id, action } = await create({ action: { task: { ...ask.task, callback } } });
    expect(action.task.callback).toEqual({ url: callback.url });
    const seen = [await read(id), await listed(), (await patch(id, { name: 'Other' })).body];
    expect(JSON.stringify(seen)).not.toContain('whsec_');
    const { rows } = await api.postgres.pool.query('select action from schedules where id = $1', [id]);
    expect(rows[0].action.task.callback.secret).toBe(secretOf);
  });
});

describe('changes', () => {
  test('pause keeps it from running, resume lets it go on', async () => {
    quickModel();
    const { id } = await create({ timing: everySecond });
    await runs(id, 1);
    expect((await act(id, 'pause')).body).toMatchObject({ paused: true, nextRuns: [] });
    expect((await act(id, 'pause')).status).toBe(200);
    const handle = api.client.schedule.getHandle(scheduleWorkflowId(id));
    expect((await handle.describe()).state.paused).toBe(true);
    const before = (await read(id)).recentRuns.length;
    expect((await act(id, 'resume')).body).toMatchObject({ paused: false });
    expect((await handle.describe()).state.paused).toBe(false);
    await runs(id, before + 1);
  });

  test('PATCH changes what it names, in the row and in Temporal', async () => {
    quickModel();
    const { id } = await create({ note: 'Old' });
    const { body: changed } = await patch(id, { name: 'Hours', timing: { everyS: 7_200, jitterS: 5 }, note: null });
    expect(changed).toMatchObject({ name: 'Hours', note: null, timing: { everyS: 7_200, jitterS: 5 }, action: ask });
    const { spec } = await api.client.schedule.getHandle(scheduleWorkflowId(id)).describe();
    expect(spec).toMatchObject({ intervals: [{ every: 7_200_000 }], jitter: 5_000 });
    await patch(id, { action: { task: { input: { text: 'Who?' } } } });
    const requests = quickModel();
    await act(id, 'run');
    await ended((await runs(id, 1)).recentRuns[0].taskId);
    expect(JSON.stringify(requests[0]?.messages)).toContain('Who?');
  });

  test('a change that is refused changes nothing', async () => {
    const { id } = await create();
    const before = await read(id);
    for (const [change, code] of [
      [{ name: 'Never', timing: { cron: '61 * * * *' } }, 'invalid_request'],
      [{ name: 'Never', action: { task: { ...ask.task, agent: 'tax' } } }, 'unknown_agent'],
      [{}, 'invalid_request'],
    ] as const)
      expect(await patch(id, change)).toMatchObject({ status: 422, body: { code } });
    expect(await read(id)).toEqual(before);
  });

  test('changes at once end with the same one on both sides', async () => {
    const { id } = await create();
    await Promise.all([1, 2, 3, 4, 5].map((hours) => patch(id, { timing: { everyS: hours * 3_600 } })));
    const { spec } = await api.client.schedule.getHandle(scheduleWorkflowId(id)).describe();
    expect(spec.intervals).toMatchObject([{ every: (await read(id)).timing.everyS * 1_000 }]);
  });

  test('a schedule that only Temporal knows fails its runs', async () => {
    const { id } = await create();
    await api.postgres.pool.query('delete from schedules where id = $1', [id]);
    await api.client.schedule.getHandle(scheduleWorkflowId(id)).trigger();
    const [run] = await overWith(id, 'FAILED');
    await expect(api.client.workflow.getHandle(run?.workflowId ?? '').result()).rejects.toMatchObject({
      cause: { type: 'not_found', message: 'The schedule was deleted.' },
    });
    await api.client.schedule.getHandle(scheduleWorkflowId(id)).delete();
  });

  test('a deleted one is gone here and in Temporal, and its runs are still tasks', async () => {
    quickModel();
    const { id } = await create();
    await act(id, 'run');
    const { recentRuns } = await runs(id, 1);
    expect((await api.http.request(`/v1/schedules/${id}`, { method: 'DELETE' })).status).toBe(204);
    for (const { status } of [
      await api.http.get(`/v1/schedules/${id}`),
      await api.http.request(`/v1/schedules/${id}`, { method: 'DELETE' }),
      await patch(id, { name: 'Back' }),
      await act(id, 'run'),
    ])
      expect(status).toBe(404);
    expect(await listed()).toEqual([]);
    await expect(api.client.schedule.getHandle(scheduleWorkflowId(id)).describe()).rejects.toThrow();
    expect((await ended(recentRuns[0].taskId)).status).toBe('completed');
  });

  test('one that somebody deleted in Temporal says so, and comes back with a resume or a change', async () => {
    quickModel();
    const { id } = await create();
    const handle = api.client.schedule.getHandle(scheduleWorkflowId(id));
    for (const bring of [() => act(id, 'resume'), () => patch(id, { name: 'Again' })]) {
      await handle.delete();
      expect(await read(id)).toMatchObject({ state: 'missing', nextRuns: [] });
      expect(await act(id, 'run')).toMatchObject({ status: 409, body: { code: 'schedule_missing' } });
      expect((await bring()).body).toMatchObject({ state: 'scheduled', paused: false });
      expect((await read(id)).nextRuns).toHaveLength(5);
    }
    // Deleted on both sides, it is simply gone.
    await handle.delete();
    expect((await api.http.request(`/v1/schedules/${id}`, { method: 'DELETE' })).status).toBe(204);
  });
});

describe('GET /v1/schedules', () => {
  test('lists page by page, newest first', async () => {
    const ids = [];
    for (const name of ['a', 'b', 'c']) ids.unshift((await create({ name })).id);
    const first = (await api.http.get('/v1/schedules?limit=2')).body;
    expect(first.schedules.map(({ id }: Wire) => id)).toEqual(ids.slice(0, 2));
    const second = (await api.http.get(`/v1/schedules?limit=2&cursor=${first.nextCursor}`)).body;
    expect(second).toMatchObject({ schedules: [{ id: ids[2] }], nextCursor: null });
    expect((await api.http.get('/v1/schedules?cursor=x')).status).toBe(422);
  });

  test('another subject’s schedule is nobody’s business', async () => {
    const { id } = await create();
    const stranger = { 'x-subject': 'stranger' };
    expect((await api.http.get('/v1/schedules', stranger)).body.schedules).toEqual([]);
    const attempts = [
      await api.http.get(`/v1/schedules/${id}`, stranger),
      await api.http.json('PATCH', `/v1/schedules/${id}`, { name: 'Mine' }, stranger),
      await api.http.request(`/v1/schedules/${id}`, { method: 'DELETE', headers: stranger }),
      ...(await Promise.all(
        ['pause', 'resume', 'run'].map((verb) =>
          api.http.request(`/v1/schedules/${id}/${verb}`, { method: 'POST', headers: stranger }),
        ),
      )),
    ];
    expect(attempts.map(({ status }) => status)).toEqual(attempts.map(() => 404));
    expect(await read(id)).toMatchObject({ name: 'Prices', paused: false, recentRuns: [] });
  });
});

/** Everything that stands in it, payloads decoded. */
function textOf(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) => {
    const bytes = inner as { type?: string; data?: number[] } | null;
    if (inner instanceof Uint8Array) return Buffer.from(inner).toString();
    return bytes?.type === 'Buffer' && Array.isArray(bytes.data) ? Buffer.from(bytes.data).toString() : inner;
  });
}
