import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { verifyLog } from '../../adapters/audit/verify-log.ts';
import { releaseTenants } from '../../activities/sweep/release-tenants.ts';
import { createTenants } from '../../adapters/postgres/tenants/tenants.ts';
import { alfred } from '../cli/run-alfred.ts';
import { putDocument } from '../support/documents/put-document.ts';
import { person, signedIn } from '../support/principals.ts';
import { until } from '../support/until.ts';
import { createApiHarness, startApi, type ApiHarness } from './api-harness.ts';
import { blockedTurn } from './open-conversation.ts';

const identify = ({ 'x-tenant': tenant = 'local', 'x-role': role }: NodeJS.Dict<string | string[]>) =>
  signedIn('ann', { tenant: String(tenant), roles: role === undefined ? [] : [String(role)] });

let api: ApiHarness;
beforeAll(async () => {
  api = await createApiHarness({}, { identify });
  // Makes the key, which operators have too.
  await api.auditKeys();
});
afterAll(() => api?.close());

const of = (tenant: string) => ({ 'x-tenant': tenant });
const send = (method: string, path: string, tenant: string | Record<string, string>, body?: object) =>
  api.http.request(path, {
    method,
    headers: {
      ...(typeof tenant === 'string' ? of(tenant) : tenant),
      ...(body ? { 'content-type': 'application/json' } : {}),
    },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
const ask = (tenant: string, headers?: Record<string, string>) =>
  send('POST', '/v1/tasks', { ...of(tenant), ...headers }, { input: { text: 'What?' } });
const operator = async (...args: string[]) => {
  const { DATABASE_URL, ALFRED_DATA_DIR } = api.config;
  const ALFRED_AUDIT_KEY_FILE = join(ALFRED_DATA_DIR, 'audit.key');
  const run = await alfred(['tenants', ...args], { DATABASE_URL, ALFRED_AUDIT_KEY_FILE, NO_COLOR: '1' });
  expect({ args, code: run.code, stderr: run.stderr }).toEqual({ args, code: 0, stderr: '' });
  return run.stdout;
};

test('a suspended tenant starts nothing and reads everything; its tasks wait, also through a restart, and go on', async () => {
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  api.tool('look', async () => {
    await released;
    return { output: {}, summary: 'looked' };
  });
  api.script(({ messages }) =>
    messages.at(-1)?.role === 'tool' ? { text: ['Seen.'] } : { calls: [{ tool: 'look', arguments: {} }] },
  );
  const { body } = await ask('acme');
  const path = `/v1/tasks/${body.id}`;
  await until('the tool runs', async () => {
    const { events } = (await api.http.get(`${path}/events/page`, of('acme'))).body;
    return events.some(({ type }: { type: string }) => type === 'tool.started');
  });
  const conversation = (await send('POST', '/v1/conversations', 'acme', {})).body.id as string;
  expect(await operator('suspend', 'acme', '--reason', 'The invoice of May is open.')).toMatch(/^state +suspended$/m);
  await until('the suspension counts', async () => (await api.tenants.find('acme')).state === 'suspended');
  const refused = await ask('acme');
  expect(refused.status).toBe(403);
  expect(refused.body).toMatchObject({
    code: 'tenant_suspended',
    detail: expect.stringContaining('The invoice of May is open. What there is can be read.'),
  });
  for (const [where, request] of [
    [`/v1/conversations/${conversation}/messages`, { text: 'And now?' }],
    ['/v1/schedules', { name: 'n', timing: { everyS: 60 }, action: { task: { input: { text: 'x' } } } }],
    ['/v1/sources', { location: 'https://example.com/sitemap.xml' }],
    // To undo is to call tools.
    [`${path}/cancel`, { undo: true }],
    [`/v1/conversations/${conversation}/stop`, { undo: true }],
  ] as const)
    expect([where, (await send('POST', where, 'acme', request)).body.code]).toEqual([where, 'tenant_suspended']);
  expect((await send('POST', `/v1/conversations/${conversation}/stop`, 'acme', {})).status).toBe(200);
  // What begins without a request, as a run of a schedule.
  const request = { agent: 'knowledge', input: { text: 'x' } };
  await expect(api.tasks.create(person('ann', { tenant: 'acme' }), request as never, {})).rejects.toMatchObject({
    code: 'tenant_suspended',
  });
  const message = { id: 'm', text: 'x' };
  await expect(api.messages.submit(person('ann', { tenant: 'acme' }), conversation, message)).rejects.toMatchObject({
    code: 'tenant_suspended',
  });
  expect((await ask('other')).status).toBe(202);

  release();
  const waiting = await api.taskReaches(body.id, 'waiting', of('acme'));
  expect(waiting.waiting).toMatchObject({ reason: 'tenant', message: expect.stringContaining('acme is suspended') });
  await api.restartWorkers();
  expect((await api.http.get(path, of('acme'))).body.status).toBe('waiting');
  expect(await api.tenants.listReleased(10)).toEqual([]);

  await operator('resume', 'acme');
  const signal = new AbortController().signal;
  const done = await until(
    'the task goes on',
    async () => {
      await releaseTenants(api, signal);
      return (await api.http.get(path, of('acme'))).body;
    },
    { accept: ({ status }) => status === 'completed' },
  );
  expect(done.result.text).toBe('Seen.');
  expect((await ask('acme')).status).toBe(202);
});

test('a tenant has no more tasks than its limits, however many requests come at once', async () => {
  api.script(() => blockedTurn('Never.').turn);
  await operator('limit', 'busy', '--tasks-at-once', '2');
  const headers = { 'idempotency-key': 'first' };
  const first = await ask('busy', headers);
  const answers = await Promise.all(Array.from({ length: 6 }, () => ask('busy')));
  expect(answers.map(({ status }) => status).toSorted()).toEqual([202, 409, 409, 409, 409, 409]);
  expect(answers.find(({ status }) => status === 409)?.body).toMatchObject({
    code: 'tenant_limit',
    detail: 'The tenant busy may have 2 tasks at once. Repeat the request when one has ended.',
  });
  // A repeated request finds its task.
  expect((await ask('busy', headers)).body.id).toBe(first.body.id);
  const conversation = (await send('POST', '/v1/conversations', 'busy', {})).body.id as string;
  const refused = await send('POST', `/v1/conversations/${conversation}/messages`, 'busy', { text: 'x' });
  expect([refused.status, refused.body.code]).toEqual([409, 'tenant_limit']);

  await operator('limit', 'daily', '--tasks-per-day', '1');
  expect([(await ask('daily')).status, (await ask('daily')).status]).toEqual([202, 409]);
  for (const tenant of ['busy', 'daily'])
    for (const task of (await api.http.get('/v1/tasks', of(tenant))).body.tasks)
      await send('POST', `/v1/tasks/${task.id}/cancel`, tenant, {});
});

test('requests of a tenant that wait for each other leave the database to others', async () => {
  api.script(() => ({ text: ['Yes.'] }));
  await operator('limit', 'crowd', '--tasks-at-once', '100');
  const { DATABASE_POOL_SIZE: connections } = api.config;
  const other = await api.postgres.pool.connect();
  const hold = `select pg_advisory_lock(hashtextextended('tenant-tasks/crowd', 0))`;
  let crowd: ReturnType<typeof ask>[] = [];
  try {
    // As a process that is in the middle of it.
    await other.query(hold);
    crowd = Array.from({ length: connections + 2 }, () => ask('crowd'));
    await until('the first one waits for the lock', async () => {
      const { rows } = await api.postgres.pool.query(
        `select from pg_locks where locktype = 'advisory' and not granted`,
      );
      return rows.length > 0;
    });
    expect((await ask('quiet')).status).toBe(202);
    const refused = await Promise.race(crowd);
    expect([refused.status, refused.body.code]).toEqual([503, 'database_unavailable']);
    expect(refused.body.detail).toContain('held what the request needs');
  } finally {
    await other.query('select pg_advisory_unlock_all()');
    other.release();
  }
  const answers = await Promise.all(crowd);
  expect(answers.filter(({ status }) => status === 202).length).toBeGreaterThanOrEqual(connections);
});

test('messages that wait for their turns count as tasks', async () => {
  api.script(() => blockedTurn('Never.').turn);
  await operator('limit', 'chatty', '--tasks-at-once', '3');
  const conversation = (await send('POST', '/v1/conversations', 'chatty', {})).body.id as string;
  const path = `/v1/conversations/${conversation}`;
  const say = (id: string, text = 'x', more = {}) => send('POST', `${path}/messages`, 'chatty', { id, text, ...more });
  const first = await say('1');
  await api.taskReaches(first.body.taskId, 'running', of('chatty'));
  // It makes no task.
  expect((await say('s', 'x', { onBusy: 'steer' })).body.outcome).toBe('steered');
  expect([(await say('2')).body.outcome, (await say('3')).body.outcome]).toEqual(['queued', 'queued']);
  const refused = await say('4');
  expect([refused.status, refused.body.code]).toEqual([409, 'tenant_limit']);
  // A repeated message finds what became of it. Another one under its id is refused as that.
  expect((await say('3')).body).toMatchObject({ id: '3', outcome: 'queued' });
  expect((await say('3', 'y')).body.code).toBe('message_id_reused');
  await send('POST', `${path}/stop`, 'chatty', {});
  await api.taskReaches(first.body.taskId, 'cancelled', of('chatty'));
  expect((await say('4')).status).toBe(202);
  await send('POST', `${path}/stop`, 'chatty', {});

  // A task of its own passes no limit of the day that waiting messages have taken.
  await operator('limit', 'daily-talk', '--tasks-per-day', '2');
  const other = `/v1/conversations/${(await send('POST', '/v1/conversations', 'daily-talk', {})).body.id as string}`;
  const { body } = await send('POST', `${other}/messages`, 'daily-talk', { text: 'x' });
  await api.taskReaches(body.taskId, 'running', of('daily-talk'));
  expect((await send('POST', `${other}/messages`, 'daily-talk', { text: 'y' })).body.outcome).toBe('queued');
  expect((await ask('daily-talk')).body.code).toBe('tenant_limit');
  await send('POST', `${other}/stop`, 'daily-talk', {});
});

test('documents and cost of a tenant have limits, and an operator sees numbers only', async () => {
  api.script(() => ({ text: ['A secret answer.'] }));
  await operator('limit', 'small', '--cost-usd-per-day', '0', '--documents', '1');
  const { id } = (await ask('small')).body;
  await api.taskReaches(id, 'completed', of('small'));
  // The scripted model costs nothing. Its call was charged to the budget of the tenant's day.
  const budgets = api.postgres.db.selectFrom('budgets').select('calls').where('id', 'like', 'tenant/small/%');
  expect(await budgets.execute()).toEqual([{ calls: 1 }]);
  const upload = async (name: string) => {
    const form = new FormData();
    form.append('file', new Blob(['# Rules'], { type: 'text/markdown' }), name);
    return api.http.request('/v1/documents', { method: 'POST', headers: of('small'), body: form });
  };
  const { documentId } = await putDocument(api.postgres.db, 'one.md', 'Rules');
  await api.postgres.db.updateTable('documents').set({ tenant: 'small' }).where('id', '=', documentId).execute();
  const second = await upload('two.md');
  expect([second.status, second.body.code]).toEqual([409, 'tenant_full']);
  // Those without the right learn nothing of it.
  const unable = await send(
    'POST',
    '/v1/sources',
    { ...of('small'), 'x-role': 'agent' },
    { location: 'https://a.test' },
  );
  expect([unable.status, unable.body.code]).toEqual([403, 'role_missing']);
  const shown = await operator('show', 'small');
  expect(shown).toMatch(/^documents +1 of 1$/m);
  expect(shown).toMatch(/^tasks today +1$/m);
  const listed = await operator('list', '--json');
  expect(JSON.parse(listed).tenants.map((one: { name: string }) => one.name)).toContain('small');
  expect(shown + listed).not.toMatch(/What\?|Rules|one\.md|secret/);
  await operator('limit', 'small', '--documents', 'none');
  await until('there is room', async () => (await upload('two.md')).status === 202);
});

test('with ALFRED_ONLY_LISTED_TENANTS a tenant that was not added gets nothing', async () => {
  await operator('add', 'listed');
  const { app } = await startApi(api, {
    identify,
    config: { ...api.config, ALFRED_ONLY_LISTED_TENANTS: true },
    tenants: createTenants(api.postgres.db, { onlyListed: true }),
  });
  const answer = async (tenant: string, method: 'GET' | 'DELETE' = 'GET', url = '/v1/tasks') => {
    const { statusCode, body } = await app.inject({ method, url, headers: { host: 'localhost', ...of(tenant) } });
    return [statusCode, body === '' ? undefined : JSON.parse(body).code];
  };
  try {
    expect(await answer('listed')).toEqual([200, undefined]);
    for (const tenant of ['Listed', 'other', '__proto__', 'list%65d'])
      expect([tenant, ...(await answer(tenant))]).toEqual([tenant, 403, 'tenant_unknown']);
    expect(await answer('other', 'DELETE', '/v1/tasks/0190a1b2-0000-7000-8000-000000000000')).toEqual([
      403,
      'tenant_unknown',
    ]);
  } finally {
    await app.close();
  }
});

test('what operators change is in the audit log of the tenant, also while the API writes; without the key a note says so', async () => {
  api.script([{ text: ['Yes.'] }, { text: ['Yes.'] }, { text: ['Yes.'] }]);
  await Promise.all([
    operator('limit', 'noted', '--documents', '7'),
    operator('add', 'noted'),
    ...Array.from({ length: 3 }, () => ask('noted')),
  ]);
  await operator('show', 'noted');
  await ask('noted');
  const entries = async (tenant: string) =>
    (await send('GET', '/v1/audit?subject=unverified:' + userInfo().username, { ...of(tenant), 'x-role': 'admin' }))
      .body.entries as { action: string }[];
  const written = await entries('noted');
  expect(written.map(({ action }) => action).toSorted()).toEqual(['tenant.add', 'tenant.limit']);
  expect(written[0]).toMatchObject({ via: 'cli', outcome: 'ok', resource: { type: 'tenant', id: 'noted' } });

  const { DATABASE_URL, ALFRED_DATA_DIR } = api.config;
  const without = async (environment: Record<string, string>) => {
    const run = await alfred(['tenants', 'resume', 'noted'], { DATABASE_URL, NO_COLOR: '1', ...environment });
    expect([run.code, run.stdout]).toEqual([0, expect.stringMatching(/^state +active/m)]);
    return run.stderr;
  };
  expect(await without({ ALFRED_DATA_DIR: join(ALFRED_DATA_DIR, 'none') })).toMatch(
    /^This was done, and the audit log has no entry of it: The audit log has no key/,
  );
  expect(await without({ ALFRED_AUDIT_KEY: randomBytes(32).toString('base64') })).toMatch(
    /no entry of it: it was last signed with the key [0-9a-f]{8}, and here is/,
  );
  expect(await without({ ALFRED_AUDIT: 'off' })).toBe('');
  // A key that is about to replace the one of before signs nothing yet: the API may not have it.
  const both = `${randomBytes(32).toString('base64')},${await readFile(join(ALFRED_DATA_DIR, 'audit.key'), 'utf8')}`;
  expect(await without({ ALFRED_AUDIT_KEY: both.trim() })).toBe('');
  expect(await entries('noted')).toHaveLength(3);
  expect((await ask('noted')).status).toBe(202);
  const { findings } = await verifyLog({ store: api.auditStore, keys: await api.auditKeys(), outside: [] });
  expect(findings).toEqual([]);
});
