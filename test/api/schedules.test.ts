import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { AnyJson } from './checked-client.ts';
import {
  ask,
  createScheduleHarness,
  everySecond,
  question,
  scheduleBody,
  type ScheduleHarness,
} from './schedule-harness.ts';

const secret = 'whsec_QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVoxMjM0NTY=';
let api: ScheduleHarness;
beforeAll(async () => {
  api = await createScheduleHarness();
});
afterAll(() => api?.close());
afterEach(() => api.cleanUp());

describe('POST /v1/schedules', () => {
  test('returns the next runs and all defaults', async () => {
    const schedule = await api.create({
      timing: { cron: '0 8 * * MON-FRI', timeZone: 'Europe/Berlin' },
      note: 'Mornings',
    });
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
      paused: false,
      note: 'Mornings',
      state: 'scheduled',
      recentRuns: [],
      running: 0,
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

  test('the same key and body give the same schedule, also concurrently; another body is refused', async () => {
    const key = { 'idempotency-key': 'prices' };
    const all = await Promise.all([api.create({}, key), api.create({}, key), api.create({}, key)]);
    expect(new Set(all.map(({ id }) => id)).size).toBe(1);
    expect(await api.list()).toHaveLength(1);
    expect(await api.http.post('/v1/schedules', scheduleBody({ name: 'Other' }), key)).toMatchObject({
      status: 422,
      body: { code: 'idempotency_key_reused' },
    });
    await api.remove(all[0].id);
    const late = await api.http.post('/v1/schedules', scheduleBody(), key);
    expect(late).toMatchObject({ status: 422, body: { code: 'idempotency_key_reused' } });
    expect(late.body.detail).toContain('which was deleted');
  });

  test.each([
    ['a cron with too few fields', { timing: { cron: 'every day' } }, 'timing.cron', 'has 2 fields'],
    [
      'a minute that does not exist',
      { timing: { cron: '61 * * * *' } },
      'timing.cron',
      'minute 61 is not in the range',
    ],
    ['a second Monday', { timing: { cron: '0 8 * * MON-FRI#2' } }, 'timing.cron', 'write "0 8 8-14 * MON"'],
    ['what only Temporal refuses', { timing: { cron: '@every 0s' } }, 'timing', 'interval is too small'],
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
    ['an end in the past', { timing: { everyS: 60, endAt: '2020-01-01T00:00:00Z' } }, 'timing.endAt', 'in the past'],
    ['a year that is over', { timing: { cron: '0 8 * * * 2020' } }, 'timing.cron', 'never run'],
    [
      'a message to a conversation that does not exist',
      { action: { message: { conversationId: '019ab7a0-0000-7000-8000-000000000000', text: 'Hi.' } } },
      'action.message.conversationId',
      'there is no conversation',
    ],
    ['no action', { action: {} }, 'action', 'one of task and message'],
    ['an input that the agent does not take', { action: { task: { input: {} } } }, 'action.task.input.text', ''],
  ])('%s is refused, and creates nothing', async (what, changes, path, message) => {
    const key = { 'idempotency-key': what.replaceAll(' ', '-') };
    const { status, body: problem } = await api.http.post('/v1/schedules', scheduleBody(changes), key);
    expect({ status, code: problem.code }).toEqual({ status: 422, code: 'invalid_request' });
    expect(problem.issues).toContainEqual({ path, message: expect.stringContaining(message) });
    const again = await Promise.all([1, 2, 3].map(() => api.http.post('/v1/schedules', scheduleBody(changes), key)));
    expect(again.map((answer) => answer.body.code)).toEqual(again.map(() => 'invalid_request'));
    expect(await api.list()).toEqual([]);
    // A refused request does not use up its key.
    await api.create({}, key);
  });

  test('an unknown agent is refused', async () => {
    expect(
      await api.http.post('/v1/schedules', scheduleBody({ action: { task: { ...ask.task, agent: 'tax' } } })),
    ).toMatchObject({
      status: 422,
      body: { code: 'unknown_agent' },
    });
    expect(await api.list()).toEqual([]);
  });

  test('a callback’s secret is never returned', async () => {
    const callback = { url: 'https://example.com/done', secret };
    const { id, action } = await api.create({ action: { task: { ...ask.task, callback } } });
    expect(action.task.callback).toEqual({ url: callback.url });
    const seen = [await api.read(id), await api.list(), (await api.patch(id, { name: 'Other' })).body];
    expect(JSON.stringify(seen)).not.toContain('whsec_');
    const { rows } = await api.postgres.pool.query('select action from schedules where id = $1', [id]);
    expect(rows[0].action.task.callback.secret).toBe(secret);
  });
});

describe('warnings', () => {
  test('tell of two kinds of day and of clocks that change, on creation, change and reading', async () => {
    const timing = { cron: '0 8 1 * MON', timeZone: 'America/New_York' };
    const { id, warnings } = await api.create({ timing });
    expect(warnings).toEqual([expect.stringContaining('both: day of month 1 and day of week MON')]);
    const { body: changed } = await api.patch(id, { timing: { ...timing, cron: '30 1 * * *' } });
    expect(changed.warnings).toEqual([
      expect.stringMatching(/America\/New_York go back on \d{4}-11-\d\d, .* runs once more at 01:30 \(06:30 UTC\)/),
    ]);
    expect((await api.read(id)).warnings).toEqual(changed.warnings);
    expect((await api.patch(id, { timing: { cron: '0 8 * * *' } })).body.warnings).toEqual([]);
    const refused = await api.patch(id, { timing: { cron: '0 8 * * * 2020' } });
    expect(refused).toMatchObject({ status: 422, body: { issues: [{ path: 'timing.cron' }] } });
  });

  test('a schedule from before a rule is shown, with what is wrong', async () => {
    const { id } = await api.create();
    const timing = {
      cron: '0 8 * * MON#2',
      timeZone: 'UTC',
      overlap: 'skip',
      catchupWindowS: 60,
      pauseOnFailure: false,
    };
    await api.postgres.pool.query('update schedules set timing = $2 where id = $1', [id, timing]);
    expect((await api.read(id)).warnings).toEqual([expect.stringContaining('would be refused today')]);
  });
});

describe('changes', () => {
  test('pause stops the runs, resume continues them', async () => {
    api.quickModel();
    const { id } = await api.create({ timing: everySecond });
    await api.runs(id, 1);
    expect((await api.act(id, 'pause')).body).toMatchObject({ paused: true, nextRuns: [] });
    expect((await api.act(id, 'pause')).status).toBe(200);
    const handle = api.inTemporal(id);
    expect((await handle.describe()).state.paused).toBe(true);
    const before = (await api.read(id)).recentRuns.length;
    expect((await api.act(id, 'resume')).body).toMatchObject({ paused: false });
    expect((await handle.describe()).state.paused).toBe(false);
    await api.runs(id, before + 1);
  });

  test('PATCH changes the named fields, in the row and in Temporal', async () => {
    api.quickModel();
    const { id } = await api.create({ note: 'Old' });
    const { body: changed } = await api.patch(id, { name: 'Hours', timing: { everyS: 7_200, jitterS: 5 }, note: null });
    expect(changed).toMatchObject({ name: 'Hours', note: null, timing: { everyS: 7_200, jitterS: 5 }, action: ask });
    const { spec } = await api.inTemporal(id).describe();
    expect(spec).toMatchObject({ intervals: [{ every: 7_200_000 }], jitter: 5_000 });
    await api.patch(id, { action: { task: { input: { text: 'Who?' } } } });
    const requests = api.quickModel();
    await api.act(id, 'run');
    await api.ended((await api.runs(id, 1)).recentRuns[0].taskId);
    expect(JSON.stringify(requests[0]?.messages)).toContain('Who?');
  });

  test('a refused change changes nothing', async () => {
    const { id } = await api.create();
    const before = await api.read(id);
    for (const [change, code] of [
      [{ name: 'Never', timing: { cron: '61 * * * *' } }, 'invalid_request'],
      [{ name: 'Never', action: { task: { ...ask.task, agent: 'tax' } } }, 'unknown_agent'],
      [{}, 'invalid_request'],
    ] as const)
      expect(await api.patch(id, change)).toMatchObject({ status: 422, body: { code } });
    expect(await api.read(id)).toEqual(before);
  });

  test('concurrent changes leave the row and Temporal with the same one', async () => {
    const { id } = await api.create();
    await Promise.all([1, 2, 3, 4, 5].map((hours) => api.patch(id, { timing: { everyS: hours * 3_600 } })));
    const { spec } = await api.inTemporal(id).describe();
    expect(spec.intervals).toMatchObject([{ every: (await api.read(id)).timing.everyS * 1_000 }]);
  });

  test('a schedule that exists only in Temporal fails its runs', async () => {
    const { id } = await api.create();
    await api.postgres.pool.query('delete from schedules where id = $1', [id]);
    await api.inTemporal(id).trigger();
    const run = await api.workflow(id, 'FAILED');
    await expect(api.client.workflow.getHandle(run.workflowId).result()).rejects.toMatchObject({
      cause: { type: 'not_found', message: 'The schedule was deleted.' },
    });
    await api.inTemporal(id).delete();
  });

  test('a deleted schedule is 404 and gone in Temporal, and the tasks of its runs stay', async () => {
    api.quickModel();
    const { id } = await api.create();
    await api.act(id, 'run');
    const { recentRuns } = await api.runs(id, 1);
    expect((await api.remove(id)).status).toBe(204);
    for (const { status } of [
      await api.http.get(`/v1/schedules/${id}`),
      await api.remove(id),
      await api.patch(id, { name: 'Back' }),
      await api.act(id, 'run'),
    ])
      expect(status).toBe(404);
    expect(await api.list()).toEqual([]);
    await expect(api.inTemporal(id).describe()).rejects.toThrow();
    expect((await api.ended(recentRuns[0].taskId)).status).toBe('completed');
  });

  test('a schedule that was deleted in Temporal is shown as missing, and a resume or a change creates it again', async () => {
    api.quickModel();
    const { id } = await api.create();
    const handle = api.inTemporal(id);
    for (const restore of [() => api.act(id, 'resume'), () => api.patch(id, { name: 'Again' })]) {
      await handle.delete();
      expect(await api.read(id)).toMatchObject({ state: 'missing', nextRuns: [] });
      expect(await api.act(id, 'run')).toMatchObject({ status: 409, body: { code: 'schedule_missing' } });
      expect((await restore()).body).toMatchObject({ state: 'scheduled', paused: false });
      expect((await api.read(id)).nextRuns).toHaveLength(5);
    }
    // Deleting a schedule that is missing in Temporal succeeds.
    await handle.delete();
    expect((await api.remove(id)).status).toBe(204);
  });

  test('a paused schedule that was deleted in Temporal stays paused when a change creates it again', async () => {
    api.quickModel();
    const { id } = await api.create();
    await api.act(id, 'pause');
    await api.inTemporal(id).delete();
    expect((await api.patch(id, { name: 'Still paused' })).body).toMatchObject({ state: 'scheduled', paused: true });
    expect((await api.inTemporal(id).describe()).state).toMatchObject({ paused: true });
  });
});

describe('GET /v1/schedules', () => {
  test('lists page by page, newest first', async () => {
    const ids = [];
    for (const name of ['a', 'b', 'c']) ids.unshift((await api.create({ name })).id);
    const first = (await api.http.get('/v1/schedules?limit=2')).body;
    expect(first.schedules.map(({ id }: AnyJson) => id)).toEqual(ids.slice(0, 2));
    const second = (await api.http.get(`/v1/schedules?limit=2&cursor=${first.nextCursor}`)).body;
    expect(second).toMatchObject({ schedules: [{ id: ids[2] }], nextCursor: null });
    expect((await api.http.get('/v1/schedules?cursor=x')).status).toBe(422);
  });

  test('another user’s schedule is 404', async () => {
    const { id } = await api.create();
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
    expect(await api.read(id)).toMatchObject({ name: 'Prices', paused: false, recentRuns: [] });
  });
});
