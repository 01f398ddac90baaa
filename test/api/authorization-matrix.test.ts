import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { v7 as newId } from 'uuid';
import { agents } from '../../agents/index.ts';
import type { Principal } from '../../contract/principal.ts';
import { operationRules, ruleOf } from '../../contract/rules/operations.ts';
import { decide, decideAtDoor, type Relation, type Resource } from '../../contract/rules/policy.ts';
import { person } from '../support/principals.ts';
import { createApiHarness, startApi, type ApiHarness } from './api-harness.ts';
import { readExampleRequests, type ExampleRequest } from './example-requests.ts';
import { contentMarker, createFixtures, nameOf, type Fixtures } from './authorization-fixtures.ts';

let api: ApiHarness;
let fixtures: Fixtures;
let examples: Map<string, ExampleRequest>;

beforeAll(async () => {
  api = await createApiHarness(
    {},
    { identify: ({ 'x-principal': text }) => ({ principal: JSON.parse(String(text)) as Principal }) },
  );
  fixtures = createFixtures(api);
  await fixtures.prepare();
  api.script(() => ({ text: ['Yes.'] }));
  examples = new Map(
    [...readExampleRequests(api.http.document)].filter(([, { template }]) => template.startsWith('/v1/')),
  );
});
afterAll(() => api?.close());

/** The rights that are asked with. Unknown roles give nothing. */
const rights: [string, Partial<Principal>][] = [
  ['member', { roles: [] }],
  ['clerk', { roles: ['clerk'] }],
  ['viewer', { roles: ['viewer'] }],
  ['operator', { roles: ['operator'] }],
  ['developer', { roles: ['developer'] }],
  ['admin', { roles: ['admin'] }],
  ['agent', { roles: ['agent'], kind: 'service' }],
  ['agent and viewer', { roles: ['agent', 'viewer'], kind: 'service' }],
  ['key of an admin', { roles: ['admin'], kind: 'service', via: 'api_key' }],
  ['every role', { roles: ['*'], via: 'local' }],
];

/** Who asks about the things of `ada`. A subject of the same name in another tenant has no relation to them. */
const askers: Record<Relation | 'foreign', Partial<Principal> & { subject: string }> = {
  own: { subject: 'ada' },
  tenant: { subject: 'bo' },
  group: { subject: 'cy', groups: ['sales'] },
  shared: { subject: 'dee' },
  public: { subject: 'eve' },
  foreign: { subject: 'ada', tenant: 'other' },
};

/** The relations that things of a kind can have, beside `own`, `tenant` and none. */
const furtherRelations: Partial<Record<Resource, Relation[]>> = {
  document: ['group', 'shared', 'public'],
  approval: ['group', 'shared'],
  memory: ['group'],
};

type Answer = { status: number; body: string; headers: Record<string, unknown> };

async function ask(
  principal: Principal,
  { method, template, query, headers, body }: ExampleRequest,
  id: string,
): Promise<Answer> {
  const path = template.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(name === 'version' ? '1' : id));
  const answer = await api.app.inject({
    method: method as 'GET',
    url: query.size > 0 ? `${path}?${query.toString()}` : path,
    headers: {
      host: 'localhost',
      accept: 'application/json',
      ...headers,
      // No worker reads documents here, so that an upload does not end.
      Prefer: 'wait=0',
      ...(headers['Idempotency-Key'] ? { 'Idempotency-Key': newId() } : {}),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      'x-principal': JSON.stringify(principal),
    },
    ...(body === undefined ? {} : { payload: JSON.stringify(body) }),
  });
  const { date: _date, 'x-request-id': _id, ...kept } = answer.headers;
  return { status: answer.statusCode, body: answer.body, headers: kept };
}

/** An answer without what names the one thing and the one request. */
const anonymous = ({ status, body, headers }: Answer, id: string) => ({
  status,
  headers,
  body: body.replaceAll(id, '<id>').replaceAll(/"(requestId|instance)":"[^"]*"/g, ''),
});

const isRefused = (status: number) => [401, 403, 404].includes(status);

test('every operation of the document has a row, and every row an operation', () => {
  expect(Object.keys(operationRules).sort()).toEqual([...examples.keys()].sort());
});

test.each(rights)('%s: every operation answers as the policy says, in every relation', async (_name, given) => {
  let cells = 0;
  for (const [operationId, example] of examples) {
    const { action, resource } = ruleOf(operationId);
    const relationsHere = [
      ...new Set<Relation | 'foreign'>(['own', 'tenant', ...(furtherRelations[resource] ?? []), 'foreign']),
    ];
    const namesOne = /\{(id)\}/.test(example.template);
    for (const relation of relationsHere) {
      const roles = [...(given.roles ?? []), ...(relation === 'group' ? ['boss'] : [])];
      const principal = person(askers[relation].subject, { ...given, ...askers[relation], roles });
      const atDoor = decideAtDoor(principal, action, resource);
      const found = relation === 'foreign' ? undefined : decide(principal, relation, action, resource);
      const isAllowed = namesOne ? found?.allowed === true : atDoor.allowed;
      const changes = example.method !== 'GET' && isAllowed;
      const id = namesOne ? await fixtures.idOf(resource, relation, { isFresh: changes }) : nameOf(resource);
      const answer = await ask(principal, example, id);
      const cell = [operationId, relation, answer.status, isAllowed ? '' : answer.body];
      cells++;
      if (isAllowed) {
        if (isRefused(answer.status)) throw new Error(`refused, and to be allowed: ${cell.join(' ')} ${answer.body}`);
        if (answer.status >= 500) throw new Error(`failed: ${cell.join(' ')} ${answer.body}`);
        // Those who may not read it see nothing of what is in it, and so do lists of others.
        const mayRead =
          relation === 'own' || (relation !== 'foreign' && decide(principal, relation, 'read', resource).allowed);
        if (!mayRead && answer.body.includes(contentMarker))
          throw new Error(`a leak: ${cell.join(' ')} ${answer.body}`);
        continue;
      }
      if (!atDoor.allowed) {
        expect([...cell.slice(0, 2), answer.status, JSON.parse(answer.body).code]).toEqual([
          operationId,
          relation,
          403,
          resource === 'key' ? 'keys_forbidden' : 'role_missing',
        ]);
        continue;
      }
      // Body and headers are those of a thing that does not exist.
      const missing = fixtures.missingIdOf(resource);
      expect([...cell.slice(0, 2), anonymous(answer, id)]).toEqual([
        operationId,
        relation,
        anonymous(await ask(principal, example, missing), missing),
      ]);
      expect(answer.status).toBe(404);
    }
  }
  expect(cells).toBeGreaterThan(150);
});

const withRole = (subject: string, ...roles: string[]) => person(subject, { roles });
const get = (principal: Principal, template: string) => {
  const request = { method: 'GET', template, query: new URLSearchParams(), headers: {}, body: undefined };
  return ask(principal, request as unknown as ExampleRequest, '');
};

test.each([
  ['tasks', 'task'],
  ['schedules', 'schedule'],
  ['sources', 'source'],
] as const)(
  '%s of the tenant are listed for those who run its work, without what is in them',
  async (list, resource) => {
    const id = await fixtures.idOf(resource, 'own', { isFresh: true });
    for (const role of ['viewer', 'operator', 'admin']) {
      const { status, body } = await get(withRole('bo', role), `/v1/${list}?of=tenant&limit=100`);
      expect(status).toBe(200);
      expect(JSON.parse(body)[list]).toContainEqual(expect.objectContaining({ id, owner: 'ada' }));
      expect(body).not.toContain(contentMarker);
      // Without being asked for, others are left out. A tenant ends at its name.
      expect((await get(withRole('bo', role), `/v1/${list}`)).body).not.toContain('"owner"');
      const foreign = person('bo', { tenant: 'other', roles: [role] });
      expect((await get(foreign, `/v1/${list}?of=tenant`)).body).not.toContain(id);
    }
    const refused = await get(withRole('bo', 'developer'), `/v1/${list}?of=tenant`);
    expect([refused.status, JSON.parse(refused.body).code]).toEqual([403, 'role_missing']);
    expect((await get(withRole('ada'), `/v1/${list}`)).body).toContain(contentMarker);
  },
);

test('a cursor of another page shows nothing more, and usage has the own tasks unless a role reaches further', async () => {
  const cursor = await fixtures.idOf('task', 'own', { isFresh: false });
  const ofFay = JSON.parse((await get(withRole('fay'), `/v1/tasks?cursor=${cursor}`)).body);
  expect(ofFay).toEqual({ tasks: [], nextCursor: null });
  await fixtures.spend(cursor);
  const calls = async (principal: Principal, query = '') =>
    JSON.parse((await get(principal, `/v1/usage${query}`)).body).total?.modelCalls;
  expect(await calls(withRole('fay'))).toBe(0);
  expect(await calls(withRole('fay', 'viewer'))).toBeGreaterThan(0);
  expect(await calls(withRole('fay', 'viewer'), '?of=own')).toBe(0);
  expect(await calls(withRole('ada'))).toBeGreaterThan(0);
  expect((await get(withRole('fay'), '/v1/usage?of=tenant')).status).toBe(403);
});

test('an operator cancels a task of another and pauses and deletes their schedule, and undoes nothing for them', async () => {
  const post = (path: string, body: object = {}) =>
    ask(
      withRole('bo', 'operator'),
      { method: 'POST', template: path, query: new URLSearchParams(), headers: {}, body } as unknown as ExampleRequest,
      '',
    );
  const task = await fixtures.openTask();
  const undo = await post(`/v1/tasks/${task}/cancel`, { undo: true });
  expect([undo.status, JSON.parse(undo.body).code]).toEqual([403, 'role_missing']);
  // Nor where the API has not seen yet whose task it is.
  const withinTenant = { ...withRole('bo', 'operator'), of: 'tenant' as const };
  const direct = api.control.tasks.cancel(withinTenant, task, { undo: true });
  await expect(direct).rejects.toMatchObject({ code: 'role_missing' });
  const cancelled = await post(`/v1/tasks/${task}/cancel`, { reason: 'The person has left.' });
  expect([cancelled.status, JSON.parse(cancelled.body)]).toMatchObject([200, { status: 'cancelled', owner: 'ada' }]);
  const { rows } = await api.postgres.pool.query('select cancel_request from tasks where id = $1', [task]);
  expect(rows[0].cancel_request).toMatchObject({ by: 'bo', reason: 'The person has left.' });

  const schedule = await fixtures.idOf('schedule', 'own', { isFresh: true });
  expect(JSON.parse((await post(`/v1/schedules/${schedule}/pause`)).body)).toMatchObject({
    paused: true,
    owner: 'ada',
    name: '',
    action: {},
  });
  // What the owner asked for is still there.
  expect((await get(withRole('ada'), `/v1/schedules/${schedule}`)).body).toContain(contentMarker);
});

test('the role agent cancels its own task, and undoes nothing with that', async () => {
  const task = await fixtures.openTask();
  const cancel = async (body: object) => {
    const headers = { host: 'localhost', 'x-principal': JSON.stringify(withRole('ada', 'agent')) };
    const answer = await api.app.inject({ method: 'POST', url: `/v1/tasks/${task}/cancel`, headers, payload: body });
    return [answer.statusCode, answer.json().code ?? answer.json().status];
  };
  expect(await cancel({ undo: true })).toEqual([403, 'role_missing']);
  expect(await cancel({})).toEqual([200, 'cancelled']);
});

test('a decision counts with the roles of the newest token, and not with those of one from before', async () => {
  const id = await fixtures.idOf('approval', 'group', { isFresh: true });
  const decide = async () => {
    const request = { method: 'POST', template: `/v1/approvals/${id}`, query: new URLSearchParams(), headers: {} };
    const answer = await ask(
      withRole('gus', 'boss'),
      { ...request, body: { decision: 'deny' } } as unknown as ExampleRequest,
      '',
    );
    return [answer.status, JSON.parse(answer.body).code];
  };
  await fixtures.newestToken('gus', []);
  expect(await decide()).toEqual([404, 'not_found']);
  await fixtures.newestToken('gus', ['boss']);
  // Another person has decided this one already.
  expect(await decide()).toEqual([409, 'approval_decided']);
});

test('an agent that is kept for a role is, for those without it, like one that does not exist', async () => {
  const kept = await startApi(api, {
    identify: ({ 'x-principal': text }) => ({ principal: JSON.parse(String(text)) as Principal }),
    config: { ...api.config, ALFRED_AGENTS: { assistant: { roles: ['tax'] } } },
  });
  const send = async (principal: Principal, method: 'GET' | 'POST', url: string, payload?: object) => {
    const headers = { host: 'localhost', 'x-principal': JSON.stringify(principal) };
    const { statusCode, body } = await kept.app.inject({ method, url, headers, ...(payload ? { payload } : {}) });
    return { status: statusCode, body: body.replaceAll(/"requestId":"[^"]*"/g, '"requestId":""') };
  };
  const requests = (agent: string): [string, object][] => [
    ['/v1/tasks', { agent, input: { text: 'A' } }],
    ['/v1/conversations', { agent }],
    [
      '/v1/schedules',
      { name: 'N', timing: { everyS: 60 }, paused: true, action: { task: { agent, input: { text: 'A' } } } },
    ],
  ];
  const names = async (...roles: string[]) =>
    JSON.parse((await send(withRole('bo', ...roles), 'GET', '/v1/agents')).body).agents.map(
      (one: { name: string }) => one.name,
    );
  const all = Object.keys(agents);
  const others = all.filter((name) => name !== 'assistant');
  try {
    expect(await Promise.all([names(), names('clerk'), names('tax'), names('developer')])).toEqual([
      others,
      others,
      all,
      all,
    ]);
    for (const [i, [url, body]] of requests('assistant').entries()) {
      const refused = await send(withRole('bo'), 'POST', url, body);
      const missing = await send(withRole('bo'), 'POST', url, requests('phantom')[i]?.[1]);
      expect(refused).toEqual({ ...missing, body: missing.body.replaceAll('phantom', 'assistant') });
      expect([refused.status, JSON.parse(refused.body).code]).toEqual([422, 'unknown_agent']);
      expect((await send(withRole('bo', 'tax'), 'POST', url, body)).status).toBeLessThan(300);
    }
  } finally {
    await kept.app.close();
  }
});
