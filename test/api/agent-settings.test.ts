import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { agents } from '../../agents/index.ts';
import { remoteAgentsOf } from '../../agents/remote-agents.ts';
import { loadConfig } from '../../runtime/config.ts';
import { alfred } from '../cli/run-alfred.ts';
import { signedIn } from '../support/principals.ts';
import { createApiHarness, startApi, type ApiHarness } from './api-harness.ts';

const identify = ({ 'x-tenant': tenant = 'acme', 'x-role': role = 'admin' }: NodeJS.Dict<string | string[]>) =>
  signedIn('ann', { tenant: String(tenant), roles: [String(role)] });

/** The scripted model of the harness is known to its workers alone. */
const providers = { scripted: {} };

let api: ApiHarness;
beforeAll(async () => {
  api = await createApiHarness(
    {
      ALFRED_AGENTS: JSON.stringify({
        knowledge: { budget: { maxModelCalls: 10 } },
        assistant: { model: 'scripted:other,scripted:third', roles: ['clerk'] },
      }),
      ALFRED_MODELS: JSON.stringify({ 'openai:gpt-6.2-sol': {}, 'scripted:extra': {}, 'scripted:any*': {} }),
    },
    { identify, providers },
  );
});
afterAll(() => api?.close());

const path = (agent = 'knowledge') => `/v1/agents/${agent}/settings`;
const headers = (tenant: string, role = 'admin') => ({ 'x-tenant': tenant, 'x-role': role });
const get = (tenant: string, where = path()) => api.http.get(where, headers(tenant));
const put = (tenant: string, body: object, agent?: string) =>
  api.http.json('PUT', path(agent), { note: 'a test', ...body }, headers(tenant));
const post = (tenant: string, where: string, body: object, role?: string) =>
  api.http.json('POST', where, body, headers(tenant, role));
const ask = async (tenant: string, role?: string) =>
  (await post(tenant, '/v1/tasks', { input: { text: 'What?' } }, role)).body;
const answered = (tenant: string, id: string) => api.taskReaches(id, 'completed', headers(tenant));

test('tasks of a tenant get its instructions, models and budget, and those of another tenant what the operator has', async () => {
  const requests = api.script(() => ({ text: ['Yes.'] }));
  const set = await put('acme', {
    instructions: 'Answer like a pirate.',
    model: 'scripted:other,scripted:extra',
    budget: { maxModelCalls: 3, maxCostUsd: 1 },
  });
  expect(set.body).toMatchObject({
    version: 1,
    by: 'ann',
    note: 'a test',
    operator: { model: 'scripted:test', budget: { maxModelCalls: 10 }, roles: null },
    effective: { enabled: true, model: 'scripted:other,scripted:extra', budget: { maxModelCalls: 3, maxCostUsd: 1 } },
  });
  expect(set.body.operator.models).toEqual(['scripted:extra', 'scripted:other', 'scripted:test', 'scripted:third']);
  const { id } = await ask('acme');
  expect(await answered('acme', id)).toMatchObject({
    settingsVersion: 1,
    model: 'scripted:other',
    budget: { maxModelCalls: 3, maxCostUsd: 1 },
  });
  const other = await ask('beta');
  const done = await answered('beta', other.id);
  expect(done).toMatchObject({ model: 'scripted:test', budget: { maxModelCalls: 10 } });
  expect(done).not.toHaveProperty('settingsVersion');
  const [own, usual] = requests.map(({ model, instructions }) => ({ model, instructions }));
  expect(own).toEqual({ model: 'other', instructions: 'Answer like a pirate.' });
  expect(usual).toEqual({ model: 'test', instructions: set.body.operator.instructions });
});

test('a task keeps the version with which it was asked for, however late it begins and in each of its calls', async () => {
  await put('keep', { instructions: 'First.', model: 'scripted:other' });
  const requests = api.script(({ messages }) =>
    messages.at(-1)?.role === 'tool' ? { text: ['Seen.'] } : { calls: [{ tool: 'change', arguments: {} }] },
  );
  api.tool('change', async () => {
    await put('keep', { instructions: 'Third.', enabled: false });
    return { output: {}, summary: 'changed' };
  });
  let id = '';
  await api.restartWorkers(async () => {
    id = (await ask('keep')).id;
    await put('keep', { instructions: 'Second.', roles: ['clerk'] });
  });
  expect(await answered('keep', id)).toMatchObject({ settingsVersion: 1, model: 'scripted:other' });
  expect(requests.map(({ model, instructions }) => [model, instructions])).toEqual([
    ['other', 'First.'],
    ['other', 'First.'],
  ]);
});

test('an agent that a tenant disables, or keeps for a role, is not there for the others', async () => {
  await put('kept', { roles: ['operator'] });
  expect((await post('kept', '/v1/tasks', { input: { text: 'What?' } }, 'viewer')).body.code).toBe('unknown_agent');
  expect(await ask('kept', 'operator')).toMatchObject({ status: 'queued', settingsVersion: 1 });
  await put('kept', { enabled: false });
  for (const [where, body] of [
    ['/v1/tasks', { input: { text: 'What?' } }],
    ['/v1/conversations', {}],
    ['/v1/schedules', { name: 'n', timing: { everyS: 60 }, action: { task: { input: { text: 'x' } } } }],
  ] as const)
    expect([where, (await post('kept', where, body)).body.code]).toEqual([where, 'unknown_agent']);
  const { agents } = (await api.http.get('/v1/agents', headers('kept'))).body;
  expect(agents.map(({ name }: { name: string }) => name)).not.toContain('knowledge');
  // A tenant does not open what the operator keeps for a role.
  await put('kept', { roles: ['viewer'] }, 'assistant');
  const refused = await post('kept', '/v1/tasks', { agent: 'assistant', input: { text: 'What?' } }, 'viewer');
  expect(refused.body.code).toBe('unknown_agent');
});

test('what widens the limits of the operator or names what is not there is refused, and says what is allowed', async () => {
  const refused = async (settings: object) => {
    const { status, body } = await put('wrong', settings);
    expect(status).toBe(422);
    return body.issues as { path: string; message: string }[];
  };
  expect(
    await refused({ model: 'scripted:unheard,openai:gpt-6.2-sol', budget: { maxModelCalls: 11 }, roles: ['clark'] }),
  ).toEqual([
    { path: 'model', message: expect.stringMatching(/"scripted:unheard" .* the operator offers: .*scripted:third/) },
    { path: 'model', message: expect.stringContaining('openai is not configured') },
    { path: 'budget.maxModelCalls', message: 'the operator allows 10 at the most' },
    { path: 'roles', message: expect.stringMatching(/^"clark" is no role/) },
  ]);
  expect(await refused({ roles: ['member'] })).toEqual([
    { path: 'roles', message: 'everybody is a member: leave `roles` out' },
  ]);
  expect(await refused({ instructions: 'x'.repeat(16_001) })).toMatchObject([{ path: 'instructions' }]);
  expect(await refused({ approvals: [] })).toHaveLength(1);
  expect(await refused({ note: '' })).toMatchObject([{ path: 'note' }]);
  expect((await put('wrong', {}, 'nobody')).body).toMatchObject({ code: 'not_found' });
  expect((await get('wrong')).body).toMatchObject({ version: 0, settings: {} });
  // A role that a person of the tenant has at the identity provider.
  await api.postgres.pool.query(
    `insert into subjects (tenant, subject, kind, roles, issued_at, expires_at)
     values ('wrong', 'cy', 'person', '{clark}', now(), now() + interval '1 hour')`,
  );
  expect((await put('wrong', { roles: ['clark', 'clerk'] })).status).toBe(200);
});

test('an agent that works elsewhere takes no instructions and no model, and a budget and roles as others do', async () => {
  const weather = { protocol: 'a2a', url: 'https://agents.example.com', description: 'Knows the weather.' };
  const config = loadConfig({ DATABASE_URL: 'postgres://unused', ALFRED_REMOTE_AGENTS: JSON.stringify({ weather }) });
  const remote = await startApi(api, { identify, providers, agents: { ...agents, ...remoteAgentsOf(config, agents) } });
  const set = (settings: object) =>
    remote.http.json('PUT', path('weather'), { note: 'a test', ...settings }, headers('far'));
  expect((await set({ instructions: 'Be brief.', model: 'scripted:other' })).body.issues).toEqual([
    { path: 'instructions', message: expect.stringContaining('works elsewhere') },
    { path: 'model', message: expect.stringContaining('works elsewhere') },
  ]);
  expect((await set({ budget: { maxCostUsd: 1 }, enabled: false })).body).toMatchObject({
    version: 1,
    operator: { instructions: '', model: 'a2a:weather', models: [] },
    effective: { enabled: false, model: 'a2a:weather', budget: { maxCostUsd: 1 } },
  });
  await remote.app.close();
});

test('each change is a version, the same again is none, of two changes at once each counts, and a version comes back', async () => {
  await put('many', { instructions: 'One.' });
  expect((await put('many', { instructions: 'One.' })).body.version).toBe(1);
  const both = await Promise.all(['Two.', 'Three.'].map((instructions) => put('many', { instructions })));
  expect(both.map(({ body }) => body.version).sort()).toEqual([2, 3]);
  const late = await put('many', { instructions: 'Four.', basedOn: 1 });
  expect([late.status, late.body.code]).toEqual([409, 'settings_changed']);
  const back = await post('many', `${path()}/rollback`, { version: 1, note: 'as before' });
  expect(back.body).toMatchObject({ version: 4, settings: { instructions: 'One.' } });
  expect((await post('many', `${path()}/rollback`, { version: 1, note: 'as before' })).body.version).toBe(4);
  expect((await post('many', `${path()}/rollback`, { version: 9, note: 'n' })).body.code).toBe('not_found');
  expect((await post('many', `${path()}/rollback`, { version: 0, note: 'nothing' })).body).toMatchObject({
    version: 5,
    settings: {},
  });
  const first = (await get('many', `${path()}/versions?limit=3`)).body;
  expect(first.versions.map(({ version, restores }: never) => [version, restores])).toEqual([
    [5, 0],
    [4, 1],
    [3, null],
  ]);
  const rest = (await get('many', `${path()}/versions?limit=3&cursor=${first.nextCursor}`)).body;
  expect(rest).toMatchObject({ versions: [{ version: 2 }, { version: 1, note: 'a test' }], nextCursor: null });
  expect((await get('many', `${path()}/versions/1`)).body).toMatchObject({ version: 1, by: 'ann' });
  expect((await get('elsewhere', `${path()}/versions/1`)).status).toBe(404);
  const { rows } = await api.postgres.pool.query(
    `select count(*)::int as entries from audit_entries where tenant = 'many' and action = 'agent.settings' and outcome = 'ok'`,
  );
  expect(rows[0].entries).toBeGreaterThanOrEqual(6);
});

test('a model that the operator names no more is left out, and the agent has its own when none is left', async () => {
  await put('later', { model: 'scripted:extra,scripted:third' });
  const narrower = await startApi(api, {
    identify,
    providers,
    config: { ...api.config, ALFRED_MODELS: {} },
  });
  const read = async () => (await narrower.http.get(path(), headers('later'))).body.effective.model;
  expect(await read()).toBe('scripted:third');
  await put('later', { model: 'scripted:extra' });
  expect(await read()).toBe('scripted:test');
  await narrower.app.close();
});

test('alfred agents settings changes a part, and takes it back', async () => {
  const local = await startApi(api, { providers });
  const run = async (...args: string[]) => {
    const { code, stdout, stderr } = await alfred(['agents', 'settings', ...args], {
      ALFRED_URL: local.url,
      NO_COLOR: '1',
    });
    expect({ args, code, stderr }).toEqual({ args, code: 0, stderr: '' });
    return stdout;
  };
  await run('set', 'knowledge', '--max-cost-usd', '0.5', '--model', 'scripted:extra', '--note', 'Costs of May');
  expect(await run('set', 'knowledge', '--model', 'none', '--role', 'viewer', '--note', 'Usual model')).toMatch(
    /^version +2$/m,
  );
  const shown = JSON.parse(await run('show', 'knowledge', '--json'));
  expect(shown.settings).toEqual({ budget: { maxCostUsd: 0.5 }, roles: ['viewer'] });
  expect(await run('versions', 'knowledge')).toMatch(/^2 .*Usual model\n1 .*Costs of May$/m);
  expect(await run('show', 'knowledge', '1')).toMatch(/^model +scripted:extra$/m);
  expect(await run('rollback', 'knowledge', '0', '--note', 'Done')).toMatch(/^version +3$/m);
  expect(JSON.parse(await run('show', 'knowledge', '--json')).settings).toEqual({});
  await local.app.close();
});
