import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { Message, ModelRequest } from '../../contract/ports/index.ts';
import { putDocument } from '../support/documents/put-document.ts';
import { signedIn } from '../support/principals.ts';
import { until } from '../support/until.ts';
import { createApiHarness, type ApiHarness } from './api-harness.ts';

/** Tellers alone have the tools. `wire` waits for an approval by ann or a boss, unless the person is a cfo. */
const knowledge = {
  approvals: [{ tool: 'wire', approvers: { subjects: ['ann'], roles: ['boss'] }, unlessRoles: ['cfo'] }],
  tools: { wire: { roles: ['teller', 'agent'] }, read_document: { roles: ['teller'] } },
};
const as = (name: string, ...roles: string[]) => ({ 'x-as': name, 'x-roles': roles.join(',') });

let api: ApiHarness;
let calls: string[];
beforeAll(async () => {
  api = await createApiHarness(
    { ALFRED_AGENTS: JSON.stringify({ knowledge }) },
    {
      identify: ({ 'x-as': name = 'local', 'x-roles': roles = '' }) =>
        signedIn(String(name), { roles: String(roles).split(',') }),
    },
  );
  for (const name of ['wire', 'read_document'])
    api.tool(
      name,
      async () => {
        calls.push(name);
        return { output: { did: name }, summary: name };
      },
      name === 'wire' ? { effect: 'write' } : {},
    );
});
afterAll(() => api?.close());
beforeEach(() => {
  calls = [];
});
afterEach(() => api.postgres.db.deleteFrom('subjects').execute());

/** What the newest token of a person says. */
const newestTokenOf = (subject: string, ...roles: string[]) =>
  api.postgres.pool.query(
    `insert into subjects (tenant, subject, kind, roles, issued_at, expires_at)
     values ('local', $1, 'person', $2, now(), now() + interval '1 hour')
     on conflict (tenant, subject) do update set roles = excluded.roles`,
    [subject, roles],
  );
const newestToken = (...roles: string[]) => newestTokenOf('eve', ...roles);
const bothTools = [
  { tool: 'wire', arguments: {} },
  { tool: 'read_document', arguments: {} },
];
const ask = async (who: Record<string, string>) =>
  (await api.http.post('/v1/tasks', { input: { text: 'Do it.' } }, who)).body.id as string;
const offered = (request: ModelRequest | undefined) => request?.tools.map(({ name }) => name).sort();
const resultsIn = (request: ModelRequest | undefined) =>
  request?.messages.flatMap((message: Message) => (message.role === 'tool' ? message.results : [])) ?? [];

test('without the role a tool is neither offered nor listed, and a call of it is refused without asking a person', async () => {
  const eve = as('eve', 'viewer', 'developer');
  const requests = api.script([{ calls: bothTools }, { text: ['It could not be done.'] }]);
  await api.taskReaches(await ask(eve), 'completed', eve);
  expect(offered(requests[0])).toEqual([]);
  const refusal = {
    isError: true,
    output: { error: expect.stringMatching(/kept for people with a role.*Do not call it again/) },
  };
  expect(resultsIn(requests[1])).toMatchObject([refusal, refusal]);
  expect(calls).toEqual([]);
  const toolsFor = async (who: Record<string, string>) =>
    (await api.http.get('/v1/agents', who)).body.agents.find(({ name }: { name: string }) => name === 'knowledge')
      .tools;
  expect(await toolsFor(eve)).not.toContain('read_document');
  expect(await toolsFor(as('eve', 'teller'))).toContain('read_document');
});

test('with the role a tool is offered and runs; what an agent of that role may is no other', async () => {
  const eve = as('eve', 'teller', 'cfo');
  const requests = api.script([{ calls: bothTools }, { text: ['Done.'] }]);
  await api.taskReaches(await ask(eve), 'completed', eve);
  expect(offered(requests[0])).toEqual(['read_document', 'wire']);
  expect(calls.sort()).toEqual(['read_document', 'wire']);
  const service = as('svc', 'agent');
  const again = api.script([{ text: ['Nothing.'] }]);
  await api.taskReaches(await ask(service), 'completed', service);
  expect(offered(again[0])).toEqual(['wire']);
});

test('a call that was recorded before the role was taken does not run, although a person approves it then', async () => {
  const eve = as('eve', 'teller');
  const requests = api.script([{ calls: [{ tool: 'wire', arguments: {} }] }, { text: ['It could not be done.'] }]);
  const id = await ask(eve);
  const { waiting } = await api.taskReaches(id, 'waiting', eve);
  const approve = (who: Record<string, string>) =>
    api.http.post(`/v1/approvals/${waiting.approvals[0]}`, { decision: 'approve' }, who);
  // The token of gus still has the role that may approve; his newest one does not.
  await newestTokenOf('gus');
  expect((await approve(as('gus', 'boss'))).status).toBe(404);
  await newestToken();
  expect((await approve(as('ann'))).status).toBe(200);
  await api.taskReaches(id, 'completed', eve);
  expect(calls).toEqual([]);
  expect(resultsIn(requests[1])).toMatchObject([{ isError: true }]);
  // Nothing was changed, so there is nothing to take back.
  expect((await api.http.post(`/v1/tasks/${id}/undo`, {}, eve)).body.code).toBe('nothing_to_undo');
});

test('a role that is taken while the task runs ends with the next step what it opened, also an exemption from approval', async () => {
  const eve = as('eve', 'teller', 'cfo');
  const call = { calls: [{ tool: 'read_document', arguments: {} }] };
  const requests = api.script([
    call,
    { ...call, until: () => newestToken('cfo') },
    { text: ['It could not be done.'] },
  ]);
  await api.taskReaches(await ask(eve), 'completed', eve);
  expect([calls, offered(requests[1]), offered(requests[2])]).toEqual([
    ['read_document'],
    ['read_document', 'wire'],
    [],
  ]);
  await newestToken('teller');
  api.script([{ calls: [{ tool: 'wire', arguments: {} }] }, { text: ['Done.'] }]);
  const id = await ask(eve);
  await api.taskReaches(id, 'waiting', eve);
  await api.http.post(`/v1/tasks/${id}/cancel`, {}, eve);
});

test('a run of a schedule has the tools of the roles that its owner has then', async () => {
  const eve = as('eve', 'teller');
  const timing = { everyS: 86_400, overlap: 'allow_all' };
  const schedule = { name: 'N', timing, paused: true, action: { task: { input: { text: 'Do it.' } } } };
  const { id } = (await api.http.post('/v1/schedules', schedule, eve)).body;
  const runOnce = async (runs: number) => {
    const requests = api.script([{ calls: [{ tool: 'read_document', arguments: {} }] }, { text: ['Done.'] }]);
    await api.http.post(`/v1/schedules/${id}/run`, {}, eve);
    const { recentRuns } = await until('a run', async () => (await api.http.get(`/v1/schedules/${id}`, eve)).body, {
      accept: ({ recentRuns: all }) => all.length === runs && all[0].taskId !== null,
    });
    await api.taskReaches(recentRuns[0].taskId, 'completed', eve);
    // Two runs within one second are one.
    await until('the next second', async () => Date.now(), {
      accept: (now) => now >= Date.parse(recentRuns[0].at) + 1_000,
    });
    return offered(requests[0]);
  };
  expect([await runOnce(1), calls]).toEqual([['read_document', 'wire'], ['read_document']]);
  await newestToken();
  expect([await runOnce(2), calls]).toEqual([[], ['read_document']]);
  await api.http.request(`/v1/schedules/${id}`, { method: 'DELETE', headers: eve });
});

test('a task reads a document of a group only as long as its owner is in the group', async () => {
  api.useBuiltInTool('read_document');
  const { pool, db } = api.postgres;
  await pool.query(`insert into group_members (tenant, subject, group_name) values ('local', 'eve', 'staff')`);
  const { documentId } = await putDocument(db, 'staff.txt', 'For the staff.', {
    scope: { tenant: 'local', subject: 'ann' },
    placement: { readers: ['group:staff'] },
  });
  const read = (start: number) => [{ tool: 'read_document', arguments: { documentId, start } }];
  const leave = () => pool.query(`delete from group_members where subject = 'eve'`);
  const requests = api.script([{ calls: read(0) }, { calls: read(4), until: leave }, { text: ['Done.'] }]);
  const eve = as('eve', 'teller');
  await api.taskReaches(await ask(eve), 'completed', eve);
  expect(resultsIn(requests[2])).toMatchObject([
    { isError: false, output: { passages: [{ text: 'For the staff.' }] } },
    { isError: true, output: { error: expect.stringContaining('There is no document') } },
  ]);
});
