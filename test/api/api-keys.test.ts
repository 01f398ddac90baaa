import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createSignIn } from '../../adapters/identity/sign-in.ts';
import { createSubjects } from '../../adapters/postgres/identity/subjects.ts';
import { newApiKeySecret } from '../../runtime/api-key-text.ts';
import { person, signedIn } from '../support/principals.ts';
import { until } from '../support/until.ts';
import { alfred } from '../cli/run-alfred.ts';
import { createApiHarness, startApi, type ApiHarness } from './api-harness.ts';

let api: ApiHarness;
/** The same API, which believes what it has read of a key for a millisecond. `x-as` and `x-role` name a sender. */
let door: Awaited<ReturnType<typeof startApi>>;
const silent = { info: () => undefined, warn: () => undefined };

beforeAll(async () => {
  api = await createApiHarness();
  const { identify } = createSignIn({
    issuers: [],
    subjects: createSubjects(api.postgres.db),
    apiKeys: api.apiKeys,
    log: silent,
    metrics: api.metrics,
    keyCacheMs: 1,
  });
  door = await startApi(api, {
    identify: (headers, rawHeaders) =>
      typeof headers['x-as'] === 'string'
        ? signedIn(headers['x-as'], { roles: [String(headers['x-role'])] })
        : identify(headers, rawHeaders),
  });
});
afterAll(async () => {
  await door?.app.close();
  await api?.close();
});

type Made = { id: string; key: string; subject: string };
const make = async (body: object = {}) =>
  (await door.http.post('/v1/api-keys', { name: 'nightly', ...body })).body as unknown as Made;
const bearer = (key: string) => ({ authorization: `Bearer ${key}` });
const outcomeOf = async (key: string) => {
  const { status, body } = await door.http.get('/v1/me', bearer(key));
  return status === 200 ? 'ok' : (body as { code: string }).code;
};
const change = (id: string, method: string, path = '', body?: object) =>
  body
    ? door.http.json(method, `/v1/api-keys/${id}${path}`, body)
    : door.http.request(`/v1/api-keys/${id}${path}`, { method });

test('a key is shown once and is a service of its own; without a header the user of this machine is there', async () => {
  const { id, key, subject } = await make({ roles: ['clerk', 'clerk'], scopes: ['tasks:write'] });
  expect(key).toMatch(/^alf_[0-9a-f]{16}_[0-9a-f]{72}$/);
  expect((await door.http.get('/v1/me', bearer(key))).body).toEqual({
    tenant: 'local',
    subject,
    kind: 'service',
    roles: ['clerk'],
    groups: [],
    scopes: ['tasks:write'],
    via: 'api_key',
    expiresAt: null,
  });
  expect((await door.http.get('/v1/me')).body).toMatchObject({ subject: 'local', roles: ['*'], via: 'local' });
  const shown = await door.http.get(`/v1/api-keys/${id}`);
  expect(shown.body).toMatchObject({ id, state: 'active', createdBy: 'local' });
  expect(JSON.stringify(shown.body)).not.toContain(key.slice(-40));
  await until('the use is noted', async () => (await door.http.get(`/v1/api-keys/${id}`)).body, {
    accept: ({ lastUsedAt }) => lastUsedAt !== null,
  });
  // The row of what it asks keeps who asked.
  const { body } = await door.http.post('/v1/tasks', { agent: 'knowledge', input: { text: 'Why?' } }, bearer(key));
  const task = await api.postgres.db
    .selectFrom('tasks')
    .select(['subject', 'roles', 'principal'])
    .where('id', '=', String(body.id))
    .executeTakeFirst();
  const principal = { kind: 'service', roles: ['clerk'], scopes: ['tasks:write'], via: 'api_key' };
  expect(task).toEqual({ subject, roles: ['clerk'], principal });
});

test('only the whole key counts: another secret, another checksum and an unknown id are the same refusal', async () => {
  const { id, key } = await make();
  const wrong = [
    newApiKeySecret(id).key,
    newApiKeySecret('0011223344556677').key,
    `${key.slice(0, -1)}x`,
    'alf_',
    key.toUpperCase(),
  ];
  expect(await Promise.all(wrong.map(outcomeOf))).toEqual([
    'key_invalid',
    'key_invalid',
    'key_invalid',
    'key_invalid',
    // Not even the beginning of a key.
    'token_invalid',
  ]);
});

test('a key ends when it expires and when it is revoked, and says so to who has it', async () => {
  const [expiring, revoked] = [await make({ expiresInDays: 1 }), await make()];
  expect(await Promise.all([expiring.key, revoked.key].map(outcomeOf))).toEqual(['ok', 'ok']);
  await api.postgres.pool.query(`update api_keys set expires_at = now() where id = $1`, [expiring.id]);
  expect((await change(revoked.id, 'DELETE')).body).toMatchObject({ state: 'revoked' });
  expect((await change(revoked.id, 'DELETE')).status).toBe(200);
  await until('both have ended', () => Promise.all([expiring.key, revoked.key].map(outcomeOf)), {
    accept: (outcomes) => outcomes.join() === 'key_expired,key_revoked',
  });
  expect((await change(revoked.id, 'POST', '/rotate')).body).toMatchObject({ code: 'key_ended' });
});

test('a rotated key counts beside the new one until the overlap is over', async () => {
  const { id, key } = await make();
  // The answer to the first rotation is lost, and it is repeated.
  await change(id, 'POST', '/rotate');
  const rotated = (await change(id, 'POST', '/rotate')).body as unknown as Made;
  expect(rotated.subject).toBe(`key:${id}`);
  await until('both count', () => Promise.all([key, rotated.key].map(outcomeOf)), {
    accept: (outcomes) => outcomes.join() === 'ok,ok',
  });
  await api.postgres.pool.query(`update api_keys set old_until = now() where id = $1`, [id]);
  await until('the old one has ended', () => Promise.all([key, rotated.key].map(outcomeOf)), {
    accept: (outcomes) => outcomes.join() === 'key_revoked,ok',
  });
  const again = (await change(id, 'POST', '/rotate', { overlapS: 0 })).body as unknown as Made;
  await until('only the newest counts', () => Promise.all([key, rotated.key, again.key].map(outcomeOf)), {
    accept: (outcomes) => outcomes.join() === 'key_invalid,key_revoked,ok',
  });
  await change(id, 'POST', '/rotate');
  await change(id, 'POST', '/rotate', { overlapS: 0 });
  await until('an overlap of 0 ends all', () => outcomeOf(again.key), { accept: (outcome) => outcome !== 'ok' });
});

test('a key may do what its scopes name, and never manages keys', async () => {
  const { key } = await make({ roles: ['admin'], scopes: ['usage:read', 'identity:write'] });
  const codeAt = async (path: string) => (await door.http.get(path, bearer(key))).body.code;
  expect(await codeAt('/v1/usage')).toBeUndefined();
  expect(await codeAt('/v1/tasks')).toBe('insufficient_scope');
  expect(await codeAt('/v1/api-keys')).toBe('keys_forbidden');
  expect(await codeAt('/v1/nothing')).toBe('not_found');
});

test('a person sees and gives only their own: keys of others are not there, and roles they lack are refused', async () => {
  const ada = { 'x-as': 'ada', 'x-role': 'clerk' };
  const eve = { 'x-as': 'eve', 'x-role': 'admin' };
  const mine = (await door.http.post('/v1/api-keys', { name: 'mine', roles: ['clerk'] }, ada)).body as unknown as Made;
  const { id: foreign } = await make();
  expect((await door.http.get(`/v1/api-keys/${foreign}`, ada)).body.code).toBe('not_found');
  expect((await door.http.request(`/v1/api-keys/${foreign}`, { method: 'DELETE', headers: ada })).status).toBe(404);
  expect((await door.http.get('/v1/api-keys', ada)).body.keys).toMatchObject([{ id: mine.id }]);
  const refused = await door.http.post('/v1/api-keys', { name: 'more', roles: ['clerk', 'boss'] }, ada);
  expect([refused.status, refused.body.code]).toEqual([403, 'keys_forbidden']);
  expect((await door.http.get('/v1/api-keys?limit=1')).body).toMatchObject({ keys: [{}], nextCursor: foreign });
  // Who manages the keys of all gets no secret of a key with roles that they lack.
  expect((await door.http.request(`/v1/api-keys/${mine.id}/rotate`, { method: 'POST', headers: eve })).body.code).toBe(
    'keys_forbidden',
  );
  expect((await door.http.get(`/v1/api-keys/${mine.id}`, eve)).body).toMatchObject({ state: 'active' });
  // Nor does a token of the same person that has fewer roles.
  const rotatedBy = async (headers: Record<string, string>) =>
    (await door.http.request(`/v1/api-keys/${mine.id}/rotate`, { method: 'POST', headers })).status;
  expect([await rotatedBy({ ...ada, 'x-role': 'reader' }), await rotatedBy(ada)]).toEqual([403, 200]);

  // A role that was taken from the person is taken from the key, and from the schedules of both.
  const subjects = createSubjects(api.postgres.db);
  const token = {
    principal: person('ada'),
    issuer: 'https://id.example.com',
    issuedAt: new Date(),
    expiresAt: new Date(),
    namesGroups: true,
  };
  const action = { task: { agent: 'knowledge', input: { text: 'A' } } };
  const request = { name: 'Daily', timing: { everyS: 3_600 }, action, paused: true } as never;
  const schedules = await Promise.all(
    [
      person('ada', { roles: ['clerk'] }),
      person(mine.subject, { roles: ['clerk'], kind: 'service', via: 'api_key' }),
    ].map((principal) => api.schedules.create(principal, request, {})),
  );
  const rolesOfRuns = () =>
    Promise.all(
      schedules.map(async ({ id, tenant, subject }) => {
        const run = await api.schedules.loadRun({ scheduleId: id, tenant, subject, key: 'k' });
        return run?.principal.roles;
      }),
    );
  expect(await rolesOfRuns()).toEqual([['clerk'], ['clerk']]);
  // A role that a newer token adds is none of what the schedule was created with.
  const richer = { ...token, principal: person('ada', { roles: ['boss', 'clerk'] }), issuedAt: new Date(0) };
  await subjects.record(richer);
  expect(await rolesOfRuns()).toEqual([['clerk'], ['clerk']]);
  await subjects.record(token);
  expect(await rolesOfRuns()).toEqual([[], []]);
  const stored = api.postgres.db.selectFrom('subjects').select('issuer').where('subject', '=', 'ada');
  expect(await stored.execute()).toEqual([{ issuer: 'https://id.example.com' }]);
  await until('the key lost it too', async () => (await door.http.get('/v1/me', bearer(mine.key))).body, {
    accept: ({ roles }) => JSON.stringify(roles) === '[]',
  });
});

test('a person has a hundred active keys at most, also with two requests at once', async () => {
  const max = { 'x-as': 'max', 'x-role': 'clerk' };
  const add = () => door.http.post('/v1/api-keys', { name: 'one more' }, max);
  await api.postgres.pool.query(
    `insert into api_keys (id, tenant, created_by, name, roles, scopes, secret_hash, revoked_at)
     select lpad(to_hex(n), 16, '0'), 'local', 'max', 'k', '{}', '{}', '', case when n > 99 then now() end
     from generate_series(1, 120) n`,
  );
  const answers = (await Promise.all([add(), add()])).toSorted((a, b) => a.status - b.status);
  expect(answers).toMatchObject([{ status: 201 }, { status: 403, body: { code: 'keys_forbidden' } }]);
  expect(answers[1]?.body.detail).toMatch('100 active keys');
  await door.http.request(`/v1/api-keys/${answers[0]?.body.id}`, { method: 'DELETE', headers: max });
  expect((await add()).status).toBe(201);
});

test('`alfred keys` makes, lists, rotates and removes keys, and ALFRED_TOKEN is sent', async () => {
  const keys = (args: string[], token = '') =>
    alfred(['keys', ...args], { ALFRED_URL: door.url, NO_COLOR: '1', ...(token && { ALFRED_TOKEN: token }) });
  const made = await keys(['add', 'report', '--role', 'clerk', '--scope', 'tasks:read']);
  expect(made.stdout).toMatch(/^alf_\S+\n$/);
  const id = made.stdout.slice(4, 20);
  expect((await keys(['show', id])).stdout).toMatch(/report[^]*tasks:read/);
  expect((await keys(['rotate', id, '--overlap', '0'])).stdout).toMatch(new RegExp(`^alf_${id}_`));
  expect((await keys(['list'])).stdout).toMatch(new RegExp(`${id} +report +active +clerk +never`));
  expect((await keys(['remove', id])).code).toBe(0);
  const refused = await keys(['list'], made.stdout.trim());
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringMatching(/revoked[^]*ALFRED_TOKEN/)]);
});
