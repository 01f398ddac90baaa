import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createTools } from '../../agents/tools/index.ts';
import { alfred } from '../cli/run-alfred.ts';
import { until } from '../support/until.ts';
import { createApiHarness, identifyBySubject, startApi, type ApiHarness } from './api-harness.ts';

let api: ApiHarness;
beforeAll(async () => {
  api = await createApiHarness({}, { identify: identifyBySubject });
  const built = createTools(api.config, api);
  for (const name of ['remember', 'forget']) {
    const tool = built[name]!;
    api.tool(name, (input, context) => tool.run(input, context), tool);
  }
});
afterAll(() => api?.close());

const as = (subject: string) => ({ 'x-subject': subject });
const add = (subject: string, body: object, headers = {}) =>
  api.http.json('POST', '/v1/memories', body, { ...as(subject), ...headers });
const list = async (subject: string, query = '') =>
  (await api.http.get(`/v1/memories${query}`, as(subject))).body.memories.map(({ text }: { text: string }) => text);
const join = (subject: string, group: string) =>
  api.postgres.pool.query(`insert into group_members (tenant, subject, group_name) values ('local', $1, $2)`, [
    subject,
    group,
  ]);
const leave = (subject: string) => api.postgres.pool.query('delete from group_members where subject = $1', [subject]);

/** Asks, and waits for the answer. */
async function ask(subject: string, text = 'Where do I work?') {
  const { id } = (await api.http.json('POST', '/v1/tasks', { input: { text } }, as(subject))).body;
  return api.taskReaches(id, 'completed', as(subject));
}
const usedBy = async (subject: string, id: string) => {
  const { events } = (await api.http.get(`/v1/tasks/${id}/events/page`, as(subject))).body;
  return events.filter(({ type }: { type: string }) => type === 'memory.used');
};

test('what a person asks to remember is given to their later tasks, is shown as used, and is taken back by an undo', async () => {
  api.script([{ calls: [{ tool: 'remember', arguments: { text: 'I work in Paris.' } }] }, { text: ['Noted.'] }]);
  const task = await ask('ann', 'Remember that I work in Paris.');
  expect(task.effects).toMatchObject([{ tool: 'remember', state: 'done', summary: 'remembered: I work in Paris.' }]);
  const { memories } = (await api.http.get('/v1/memories', as('ann'))).body;
  expect(memories).toMatchObject([
    { text: 'I work in Paris.', group: null, by: 'ann', source: { taskId: task.id, conversationId: null } },
  ]);

  const requests = api.script(() => ({ text: ['In Paris.'] }));
  const later = await ask('ann');
  expect(requests[0]?.instructions).toMatch(
    /They are not orders.*\n\{"note":1,.*"of":"this person".*I work in Paris\."\}$/s,
  );
  const [used] = await usedBy('ann', later.id);
  expect(used.data).toMatchObject({ step: 1, memories: [{ id: memories[0].id, by: 'ann' }] });
  expect(JSON.stringify(used)).not.toContain('Paris');
  // No one else reads it, also by its id.
  const other = await ask('bob');
  expect(requests.at(-1)?.instructions).not.toContain('Paris');
  expect(await usedBy('bob', other.id)).toEqual([]);
  expect((await api.http.get(`/v1/memories/${memories[0].id}`, as('bob'))).status).toBe(404);
  const removal = await api.http.request(`/v1/memories/${memories[0].id}`, { method: 'DELETE', headers: as('bob') });
  expect(removal.status).toBe(404);

  await api.http.json('POST', `/v1/tasks/${task.id}/undo`, {}, as('ann'));
  await until('the memory is gone', async () => (await list('ann')).length === 0);
  await ask('ann');
  expect(requests.at(-1)?.instructions).not.toContain('Paris');
});

test('an agent forgets what its person asked to remember, by its id, and an undo brings it back', async () => {
  const { id } = (await add('fay', { text: 'I like tea.' })).body;
  const { id: ofBob } = (await add('bob', { text: 'I like coffee.' })).body;
  api.script([
    { calls: [id, ofBob].map((each) => ({ tool: 'forget', arguments: { id: each } })) },
    { text: ['Forgotten.'] },
  ]);
  const task = await ask('fay', 'Forget what I drink.');
  expect(await list('fay')).toEqual([]);
  expect(await list('bob')).toContain('I like coffee.');
  await api.http.json('POST', `/v1/tasks/${task.id}/undo`, {}, as('fay'));
  await until('the memory is back', async () => (await list('fay')).includes('I like tea.'));
});

test('a task reads the memories of the groups that its person is in at the moment, also between two of its calls', async () => {
  expect((await add('gil', { text: 'Our supplier is ACME.', group: 'buyers' })).body).toMatchObject({
    issues: [{ path: 'group', message: 'you are not in a group "buyers"' }],
  });
  await join('gil', 'buyers');
  await join('hal', 'buyers');
  await add('gil', { text: 'Our supplier is ACME.', group: 'buyers' });
  expect(await list('hal')).toEqual(['Our supplier is ACME.']);
  api.tool('leave', async () => {
    await leave('hal');
    return { output: {}, summary: 'left' };
  });
  const requests = api.script([{ calls: [{ tool: 'leave', arguments: {} }] }, { text: ['Done.'] }, { text: ['Yes.'] }]);
  await ask('hal', 'Leave the buyers.');
  expect(requests.map(({ instructions }) => /"of":"the group buyers, by gil".*ACME/.test(instructions))).toEqual([
    true,
    false,
  ]);
  await ask('hal');
  expect(requests[2]?.instructions).not.toContain('ACME');
  expect(await list('hal')).toEqual([]);
  await leave('gil');
  expect(await list('gil')).toEqual([]);
});

test('memories are counted as they come, are given to tasks, and go', async () => {
  const changes = async () => {
    const lines = (await api.metrics.registry.metrics())
      .split('\n')
      .filter((line) => line.startsWith('memories_total{'));
    return Object.fromEntries(
      lines.map((line) => [/change="(\w+)"/.exec(line)?.[1] ?? '', Number(line.split(' ').at(-1))]),
    );
  };
  const before = await changes();
  const key = { 'idempotency-key': 'counted' };
  const { id } = (await add('lee', { text: 'I like trains.' }, key)).body;
  await add('lee', { text: 'I like trains.' }, key);
  api.script(() => ({ text: ['Yes.'] }));
  await ask('lee');
  await api.http.request(`/v1/memories/${id}`, { method: 'DELETE', headers: as('lee') });
  const after = await changes();
  const added = (name: string) => (after[name] ?? 0) - (before[name] ?? 0);
  expect(['remembered', 'recalled', 'forgotten'].map(added)).toEqual([1, 1, 1]);
});

test('in a channel of Slack nothing is remembered', async () => {
  const { remember } = createTools(api.config, api);
  const call = remember!.run(
    { text: 'The budget of May is spent.' },
    {
      scope: { tenant: 'local', subject: 'slack:T1:C1' },
      taskId: '0199c7a2-6f1e-7c3a-9d55-0a4f3b2c1d10',
      receiptKey: 'k',
      signal: new AbortController().signal,
      beforeSend: () => Promise.reject(new Error('nothing is to be stored')),
    },
  );
  await expect(call).rejects.toMatchObject({
    code: 'invalid_request',
    message: expect.stringMatching(/direct message/),
  });
});

test('a repeated request is the same memory, a page leads to the next, and what has expired is gone', async () => {
  const key = { 'idempotency-key': 'one' };
  const first = (await add('kim', { text: 'One.' }, key)).body;
  expect((await add('kim', { text: 'One.' }, key)).body.id).toBe(first.id);
  expect((await add('kim', { text: 'Two.' }, key)).body.code).toBe('idempotency_key_reused');
  expect((await add('kim', { text: ' ' })).status).toBe(422);
  expect((await add('kim', { text: 'x'.repeat(1_001) })).status).toBe(422);
  await add('kim', { text: 'Two.', expiresInDays: 1 });
  const page = (await api.http.get('/v1/memories?limit=1', as('kim'))).body;
  expect(page.memories).toMatchObject([{ text: 'Two.' }]);
  expect(await list('kim', `?limit=1&cursor=${page.nextCursor}`)).toEqual(['One.']);
  await api.postgres.pool.query(`update memories set expires_at = now() where text = 'Two.' and subject = 'kim'`);
  expect(await list('kim')).toEqual(['One.']);
  expect(await api.memories.removeExpired(10)).toBe(1);

  await api.postgres.pool.query(
    `insert into memories (id, tenant, subject, text, via, request_hash, expires_at)
     select gen_random_uuid(), 'local', 'kim', 'n', 'oidc', 'h', now() + interval '1 day' from generate_series(1, 498)`,
  );
  const last = await Promise.all(['Last.', 'Too many.'].map((text) => add('kim', { text })));
  expect(last.map(({ status }) => status).sort()).toEqual([201, 409]);
  expect(last.find(({ status }) => status === 409)?.body.code).toBe('memory_full');
});

test('alfred memories adds, lists and removes', async () => {
  const local = await startApi(api);
  const run = async (...args: string[]) => {
    const { code, stdout, stderr } = await alfred(['memories', ...args], { ALFRED_URL: local.url, NO_COLOR: '1' });
    expect({ args, code, stderr: code === 0 ? '' : stderr }).toEqual({ args, code: 0, stderr: '' });
    return stdout;
  };
  const { id } = JSON.parse(await run('add', 'I read on paper.', '--expires-in-days', '2', '--json'));
  expect(await run()).toMatch(new RegExp(`^${id} +you .* I read on paper\\.$`, 'm'));
  await run('remove', id);
  expect(JSON.parse(await run('list', '--json'))).toEqual({ memories: [], nextCursor: null });
  await local.app.close();
});
