import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { taskWorkflowId } from '../../contract/ids.ts';
import { untilAborted } from '../support/until.ts';
import { createApiHarness, type ApiHarness } from './api-harness.ts';

let api: ApiHarness;
beforeAll(async () => {
  api = await createApiHarness();
});
afterAll(() => api?.close());

const ask = (text = 'What?', headers: Record<string, string> = {}) =>
  api.http.post('/v1/tasks', { input: { text } }, headers);
/** Creates a task's row without starting its workflow. */
const createRow = (scope = api.scope, options: { idempotencyKey?: string } = {}) =>
  api.tasks.create(scope, { agent: 'knowledge', input: { text: 'A' } }, options);
const wait = (id: string, seconds = 30) => api.http.get(`/v1/tasks/${id}`, { prefer: `wait=${seconds}` });

describe('POST /v1/tasks', () => {
  test('answers 202 with the location of a task that runs to its answer', async () => {
    api.script([{ text: ['Forty-', 'two.'] }]);
    const created = await api.http.post('/v1/tasks', {
      input: { text: 'What?' },
      metadata: { team: 'finance' },
      budget: { maxModelCalls: 3 },
    });
    const { id } = created.body;
    expect(created.status).toBe(202);
    expect(created.headers.get('location')).toBe(`/v1/tasks/${id}`);
    expect(created.body).toMatchObject({
      status: 'queued',
      agent: 'knowledge',
      lastSeq: 1,
      metadata: { team: 'finance' },
      budget: { maxModelCalls: 3 },
      input: { text: 'What?' },
      asked: 'What?',
      scheduleId: null,
    });
    const done = await wait(id);
    expect(done.headers.get('preference-applied')).toBe('wait=30');
    expect(done.body).toMatchObject({
      id,
      status: 'completed',
      conversationId: null,
      effects: [],
      result: { text: 'Forty-two.' },
    });
  });

  test('the workflow is named after the task, has search attributes, and contains no question', async () => {
    api.script([{ text: ['Yes.'] }]);
    const { body } = await ask('Is Jane Doe on holiday?');
    const handle = api.client.workflow.getHandle(taskWorkflowId(body.id));
    const described = await handle.describe();
    expect(described.taskQueue).toBe('agent-knowledge');
    expect(described.searchAttributes).toMatchObject({ AlfredAgent: ['knowledge'], AlfredTenant: ['local'] });
    expect(await described.staticSummary()).toBe(`knowledge · task ${body.id}`);
    expect(body.links.temporal).toContain(encodeURIComponent(taskWorkflowId(body.id)));
    await handle.result();
    expect(JSON.stringify(await handle.fetchHistory())).not.toContain('Jane');
  });

  test('a repeat with the same key and body is the same task, also with its fields in another order', async () => {
    api.script([{ text: ['Once.'] }]);
    const key = { 'idempotency-key': 'repeat-1' };
    const first = await api.http.post(
      '/v1/tasks',
      { agent: 'knowledge', input: { text: 'A' }, metadata: { a: '1', b: '2' } },
      key,
    );
    const second = await api.http.post('/v1/tasks', { metadata: { b: '2', a: '1' }, input: { text: 'A' } }, key);
    expect([second.status, second.body.id, second.headers.get('location')]).toEqual([
      202,
      first.body.id,
      first.headers.get('location'),
    ]);
    await wait(first.body.id);
    const third = await api.http.post(
      '/v1/tasks',
      { agent: 'knowledge', input: { text: 'A' }, metadata: { a: '1', b: '2' } },
      key,
    );
    expect(third.body).toMatchObject({ id: first.body.id, status: 'completed', usage: { modelCalls: 1 } });
  });

  test('the same key with another body is refused', async () => {
    api.script(() => ({ text: ['.'] }));
    const key = { 'idempotency-key': 'other-body' };
    const { body } = await ask('A', key);
    const refused = await ask('B', key);
    expect([refused.status, refused.body.code]).toEqual([422, 'idempotency_key_reused']);
    expect(refused.body.detail).toContain(body.id);
    await wait(body.id);
  });

  test('20 concurrent requests with one key create one task, one workflow and one model call', async () => {
    const requests = api.script(() => ({ text: ['One.'] }));
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => ask('at once', { 'idempotency-key': 'at-once' })),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
    const ids = new Set(answers.map(({ body }) => body.id as string));
    expect(ids.size).toBe(1);
    const [id = ''] = ids;
    expect((await wait(id)).body.status).toBe('completed');
    expect(requests).toHaveLength(1);
    const { rows } = await api.postgres.pool.query(
      `select count(*)::int as n from tasks where idempotency_key = 'at-once'`,
    );
    expect(rows).toEqual([{ n: 1 }]);
  });

  test('a repeat starts a task whose workflow never started, also after the sweep closed it', async () => {
    api.script([{ text: ['After all.'] }]);
    const key = 'given-up';
    const row = await createRow(api.scope, { idempotencyKey: key });
    await api.tasks.close({ ...api.scope, taskId: row.id, agent: 'knowledge' }, undefined, {
      status: 'failed',
      code: 'never_started',
      message: '…',
    });
    const repeated = await ask('A', { 'idempotency-key': key });
    expect(repeated.body).toMatchObject({ id: row.id, status: 'queued', error: null });
    expect((await wait(row.id)).body).toMatchObject({ status: 'completed', result: { text: 'After all.' } });
  });

  test.each([
    ['nothing', null, ''],
    ['an array', [], ''],
    ['no input', {}, 'input'],
    ['an empty question', { input: { text: '' } }, 'input.text'],
    ['a question of spaces', { input: { text: ' \n ' } }, 'input.text'],
    ['a question that is too long', { input: { text: 'x'.repeat(20_001) } }, 'input.text'],
    ['a number for a question', { input: { text: 42 } }, 'input.text'],
    ['an unknown field', { input: { text: 'x' }, temperature: 1 }, ''],
    ['an unknown input', { input: { text: 'x', colour: 'red' } }, 'input'],
    ['an unknown tool', { input: { text: 'x', tool: { name: 'rm', arguments: {} } } }, 'input.tool.name'],
    ['a negative budget', { input: { text: 'x' }, budget: { maxCostUsd: -1 } }, 'budget.maxCostUsd'],
    ['metadata that is no text', { input: { text: 'x' }, metadata: { a: 1 } }, 'metadata.a'],
    [
      '17 entries of metadata',
      { input: { text: 'x' }, metadata: Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`k${i}`, 'v'])) },
      'metadata',
    ],
    ['U+0000 in the question', { input: { text: 'a\u0000b' } }, 'input.text'],
    ['half a surrogate pair', { input: { text: 'a\ud800' } }, 'input.text'],
    ['U+0000 in a key', { input: { text: 'x' }, metadata: { 'a\u0000': 'v' } }, 'metadata'],
  ])('refuses %s with the path of the fault', async (_, body, path) => {
    const answer = await api.http.post('/v1/tasks', body);
    expect([answer.status, answer.body.code]).toEqual([422, 'invalid_request']);
    expect(answer.body.issues).toEqual(expect.arrayContaining([expect.objectContaining({ path })]));
  });

  // `constructor` is a property of every object.
  test.each(['oracle', 'constructor'])('refuses the unknown agent %s and names the known ones', async (agent) => {
    const answer = await api.http.post('/v1/tasks', { agent, input: { text: 'x' } });
    expect([answer.status, answer.body.code]).toEqual([422, 'unknown_agent']);
    expect(answer.body.detail).toContain('There are: knowledge');
  });

  test.each([[''], ['has space'], ['ümlaut'], ['x'.repeat(256)], ['tab\there']])(
    'refuses the Idempotency-Key "%s"',
    async (key) => {
      const answer = await ask('A', { 'idempotency-key': Buffer.from(key).toString('latin1') });
      expect([answer.status, answer.body.issues]).toEqual([
        422,
        [{ path: 'header.idempotency-key', message: 'expected 1 to 255 visible ASCII characters' }],
      ]);
    },
  );
});

describe('GET /v1/tasks/{id}', () => {
  test.each(['01a2016f-73a4-7695-9a05-0f2fb996e093', 'no-uuid', '%00', 'x'.repeat(500)])('"%s" is 404', async (id) => {
    for (const path of ['', '/events', '/cancel']) {
      const answer = await api.http.request(`/v1/tasks/${id}${path}`, { method: path === '/cancel' ? 'POST' : 'GET' });
      expect([path, answer.status, answer.body.code]).toEqual([path, 404, 'not_found']);
    }
  });

  test('a task of another tenant is 404', async () => {
    const row = await createRow({ tenant: 'other', subject: 'local' });
    expect((await api.http.get(`/v1/tasks/${row.id}`)).status).toBe(404);
    expect((await api.http.post(`/v1/tasks/${row.id}/cancel`, {})).status).toBe(404);
    expect((await api.http.get(`/v1/tasks/${row.id}/events`)).status).toBe(404);
  });

  test('a wait that ends before the task answers with the running task', async () => {
    api.script([{ text: ['Hm'], until: untilAborted }]);
    const { body } = await ask();
    const waited = await wait(body.id, 1);
    expect([waited.status, ['queued', 'running'].includes(waited.body.status)]).toEqual([200, true]);
    await api.http.post(`/v1/tasks/${body.id}/cancel`, {});
  });

  test('without a wait, or with an invalid one, answers at once', async () => {
    api.script(() => ({ text: ['.'] }));
    const { body } = await ask();
    for (const prefer of ['respond-async', 'wait=soon', 'wait=-1', '']) {
      expect((await api.http.get(`/v1/tasks/${body.id}`, { prefer })).headers.get('preference-applied')).toBeNull();
    }
    expect((await wait(body.id, 100_000)).headers.get('preference-applied')).toBe('wait=60');
  });

  test('a task whose workflow was terminated is failed when it is read, and its followers receive the event', async () => {
    api.script([{ text: ['Hm'], until: untilAborted }]);
    const { body } = await ask();
    const following = fetch(`${api.url}/v1/tasks/${body.id}/events`).then((response) => response.text());
    await api.client.workflow.getHandle(taskWorkflowId(body.id)).terminate('by hand');
    expect((await api.http.get(`/v1/tasks/${body.id}`)).body).toMatchObject({
      status: 'failed',
      error: { code: 'terminated' },
    });
    expect(await following).toMatch(/event: task\.failed\n.*"terminated".*\n\n$/s);
  });
});

test('a wait learns long before its end that the workflow was terminated', async () => {
  api.script([{ text: ['Hm'], until: untilAborted }]);
  const { body } = await ask();
  await api.client.workflow.getHandle(taskWorkflowId(body.id)).terminate('by hand');
  expect((await wait(body.id, 60)).body).toMatchObject({ status: 'failed', error: { code: 'terminated' } });
});

describe('POST /v1/tasks/{id}/cancel', () => {
  test('ends a task in the middle of a model call, and a repeat changes nothing', async () => {
    api.script([{ text: ['Hm'], until: untilAborted }]);
    const { body } = await ask();
    const events = () => api.events.read(api.scope, body.id, 0, 100);
    for await (const page of api.events.follow(api.scope, body.id, 0, AbortSignal.timeout(20_000)))
      if (page.some(({ type }) => type === 'text.delta')) break;
    const cancelled = await api.http.post(`/v1/tasks/${body.id}/cancel`, { reason: 'Not needed.' });
    expect([200, 202]).toContain(cancelled.status);
    const ended = await wait(body.id);
    expect(ended.body.status).toBe('cancelled');
    const before = await events();
    const repeated = await api.http.post(`/v1/tasks/${body.id}/cancel`, {});
    expect([repeated.status, repeated.body]).toEqual([200, ended.body]);
    expect(await events()).toEqual(before);
  });

  test('a completed task stays completed, also for a request without a body', async () => {
    api.script([{ text: ['Done.'] }]);
    const { body } = await ask();
    await wait(body.id);
    const answer = await api.http.request(`/v1/tasks/${body.id}/cancel`, { method: 'POST' });
    expect([answer.status, answer.body.status]).toEqual([200, 'completed']);
  });

  test('a task whose workflow never started is cancelled with the reason given', async () => {
    const row = await createRow();
    const answer = await api.http.post(`/v1/tasks/${row.id}/cancel`, { reason: 'Not needed.' });
    expect([answer.status, answer.body.status]).toEqual([200, 'cancelled']);
    expect((await api.events.read(api.scope, row.id, 1, 10))[0]).toMatchObject({
      type: 'task.cancelled',
      data: { reason: 'Not needed.' },
    });
  });

  test('refuses an unknown field and a reason that is not a string', async () => {
    const row = await createRow();
    for (const body of [{ why: 'x' }, { reason: 1 }, 'x'])
      expect((await api.http.post(`/v1/tasks/${row.id}/cancel`, body)).status).toBe(422);
  });
});
