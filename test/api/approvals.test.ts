import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { typedTool } from '../../agents/tools/typed-tool.ts';
import type { ApprovalRuleInput } from '../../contract/approval.ts';
import type { JsonValue } from '../../contract/json.ts';
import { hashArguments } from '../../runtime/hash.ts';
import { until } from '../support/until.ts';
import { createApiHarness, type ApiHarness } from './api-harness.ts';

const rules: ApprovalRuleInput[] = [
  { tool: 'pay', when: [{ argument: 'amount', over: 100 }], approvers: { roles: ['boss'] }, unlessRoles: ['cfo'] },
  { tool: 'sign', approvers: { subjects: ['ann', 'bob'] }, fourEyes: true },
  { tool: 'hurry', approvers: { subjects: ['nobody'] }, expiresS: 0.5, onExpiry: 'deny' },
  { tool: 'glide', approvers: { subjects: ['nobody'] }, expiresS: 0.5, onExpiry: 'approve' },
  { tool: 'climb', approvers: { subjects: ['nobody'] }, escalateS: 0.3, escalateTo: { roles: ['boss'] } },
];

let api: ApiHarness;
let calls: { tool: string; input: JsonValue }[] = [];
beforeAll(async () => {
  api = await createApiHarness(
    { ALFRED_AGENTS: JSON.stringify({ knowledge: { approvals: rules } }) },
    {
      identify: ({ 'x-as': as, 'x-roles': roles }) => ({
        tenant: 'local',
        subject: typeof as === 'string' ? as : 'local',
        roles: typeof roles === 'string' ? roles.split(',') : [],
      }),
    },
  );
  for (const name of ['pay', 'sign', 'hurry', 'glide', 'climb']) {
    const tool = typedTool({
      name,
      description: name,
      input: z.strictObject({ amount: z.number().optional(), to: z.string().optional() }),
      run: async (input) => {
        calls.push({ tool: name, input: input as JsonValue });
        return { output: { did: name }, summary: name };
      },
    });
    api.tool(name, (...call) => tool.run(...call), { effect: 'write', check: (input) => tool.check?.(input) });
  }
});
beforeEach(() => {
  calls = [];
});
afterAll(() => api?.close());

const as = (name: string, ...roles: string[]) => ({ 'x-as': name, 'x-roles': roles.join(',') });
const askFor = async (tool: string, input: JsonValue, who = as('eve')) => {
  api.script([{ calls: [{ tool, arguments: input }] }, { text: ['Done.'] }]);
  return (await api.http.post('/v1/tasks', { input: { text: 'Do it.' } }, who)).body.id as string;
};
/** Waits until a task has this status. @returns the task */
const reaches = (id: string, status: string, who = as('eve')) =>
  until(`task ${id} is ${status}`, async () => (await api.http.get(`/v1/tasks/${id}`, who)).body, {
    accept: (task) => task.status === status,
  });
const pendingOf = async (id: string) => {
  const task = await reaches(id, 'waiting');
  expect(task.waiting).toMatchObject({ reason: 'approval', approvals: [expect.any(String)] });
  return task.waiting.approvals[0] as string;
};
const decide = (id: string, body: object, who: Record<string, string>) =>
  api.http.post(`/v1/approvals/${id}`, body, who);
const approve = { decision: 'approve' };
const deny = { decision: 'deny' };
const eventsOf = async (id: string) => api.events.read({ tenant: 'local', subject: 'eve' }, id, 0, 500);
const boss = as('ben', 'boss');

describe('a call that must be approved', () => {
  test('waits, is decided by who may, and runs with what was approved', async () => {
    const id = await askFor('pay', { amount: 500 });
    const approval = await pendingOf(id);
    expect(calls).toEqual([]);
    const shown = await api.http.get(`/v1/approvals/${approval}`, boss);
    expect(shown.body).toMatchObject({
      status: 'pending',
      tool: 'pay',
      requestedBy: 'eve',
      arguments: { amount: 500 },
      argumentsHash: hashArguments({ amount: 500 }),
      decision: null,
    });
    expect((await decide(approval, { ...approve, comment: 'fine' }, boss)).body).toMatchObject({
      status: 'approved',
      decision: { runs: true, by: 'ben', comment: 'fine', edited: null },
    });
    const done = await reaches(id, 'completed');
    expect(calls).toEqual([{ tool: 'pay', input: { amount: 500 } }]);
    expect(done.effects).toMatchObject([{ tool: 'pay', state: 'done', summary: 'pay' }]);
    const types = (await eventsOf(id)).map(({ type }) => type);
    expect(types.filter((type) => /approval|waiting|resumed/.test(type))).toEqual([
      'approval.requested',
      'task.waiting',
      'approval.decided',
      'task.resumed',
    ]);
    const { events } = await api.client.workflow.getHandle(`task/${id}`).fetchHistory();
    expect(JSON.stringify(events)).not.toMatch(/fine|"amount"/);
  });

  test('which no rule speaks of runs at once', async () => {
    await reaches(await askFor('pay', { amount: 100 }), 'completed');
    await reaches(await askFor('pay', { amount: 900 }, as('eve', 'cfo')), 'completed');
    expect(calls).toHaveLength(2);
  });

  test('denied with a comment is told to the model and not made', async () => {
    const id = await askFor('pay', { amount: 500 });
    await decide(await pendingOf(id), { ...deny, comment: 'Too much.' }, boss);
    await reaches(id, 'completed');
    expect(calls).toEqual([]);
    const told = (await eventsOf(id)).find(({ type }) => type === 'tool.completed');
    expect(told?.data).toMatchObject({ isError: true, summary: expect.stringContaining('Too much.') });
    expect((await reaches(id, 'completed')).effects).toEqual([]);
  });

  test('edited arguments run instead, are checked first, and stand in the record', async () => {
    const requests = api.script([
      { calls: [{ tool: 'pay', arguments: { amount: 500, to: 'x' } }] },
      { text: ['Done.'] },
    ]);
    const id = (await api.http.post('/v1/tasks', { input: { text: 'Do it.' } }, as('eve'))).body.id as string;
    const approval = await pendingOf(id);
    const wrong = await decide(approval, { ...approve, edit: { amount: 'lots' } }, boss);
    expect(wrong).toMatchObject({ status: 422, body: { code: 'invalid_request' } });
    expect(wrong.body.detail).toContain('amount');
    expect((await decide(approval, { ...deny, edit: {} }, boss)).status).toBe(422);
    const lower = { ...approve, comment: 'less', edit: { amount: 50, to: 'x' } };
    const edited = await decide(approval, lower, boss);
    expect(edited.body.decision).toMatchObject({
      edited: { amount: 50, to: 'x' },
      argumentsHash: hashArguments({ to: 'x', amount: 50 }),
    });
    await reaches(id, 'completed');
    expect(calls).toEqual([{ tool: 'pay', input: { amount: 50, to: 'x' } }]);
    const decided = (await eventsOf(id)).find(({ type }) => type === 'approval.decided');
    expect(decided?.data).toMatchObject({ by: 'ben', runs: true, edited: { amount: 50 } });
    const read = JSON.stringify(requests[1]?.messages.at(-1));
    for (const part of ['with other arguments', '"amount":50', 'less', '"did":"pay"']) expect(read).toContain(part);
    // The same again is the same; other arguments are another decision.
    expect((await decide(approval, lower, boss)).status).toBe(200);
    for (const other of [approve, { ...lower, edit: { amount: 60, to: 'x' } }])
      expect(await decide(approval, other, boss)).toMatchObject({ status: 409, body: { code: 'approval_decided' } });
  });

  test('is not for everybody: no right, four eyes, other arguments than seen', async () => {
    const id = await askFor('pay', { amount: 500 });
    const approval = await pendingOf(id);
    // Who asked sees it and may not decide; a stranger does not even see it.
    expect(await decide(approval, approve, as('eve'))).toMatchObject({
      status: 403,
      body: { code: 'approval_forbidden' },
    });
    expect((await decide(approval, approve, as('mallory'))).status).toBe(404);
    const stale = await decide(approval, { ...approve, argumentsHash: hashArguments({ amount: 5 }) }, boss);
    expect(stale).toMatchObject({ status: 409, body: { code: 'approval_changed' } });
    await decide(approval, approve, boss);
    await reaches(id, 'completed');

    const signed = await askFor('sign', {}, as('ann'));
    const second = (await reaches(signed, 'waiting', as('ann'))).waiting.approvals[0];
    expect(await decide(second, approve, as('ann'))).toMatchObject({ status: 403 });
    expect((await decide(second, approve, as('bob'))).status).toBe(200);
    await reaches(signed, 'completed', as('ann'));
  });

  test('is decided once: of two at once the second is told who decided and how', async () => {
    const id = await askFor('pay', { amount: 500 });
    const approval = await pendingOf(id);
    const answers = await Promise.all([
      decide(approval, approve, as('ben', 'boss')),
      decide(approval, deny, as('bea', 'boss')),
    ]);
    const [won, lost] = answers.toSorted((a, b) => a.status - b.status);
    expect([won?.status, lost?.status]).toEqual([200, 409]);
    expect(lost?.body).toMatchObject({ code: 'approval_decided' });
    expect(lost?.body.detail).toContain(won?.body.decision.by);
    expect(lost?.body.detail).toContain(won?.body.status);
    await reaches(id, 'completed');
    const { by, runs } = won?.body.decision as { by: string; runs: boolean };
    expect(calls).toHaveLength(runs ? 1 : 0);
    // The same again by the same person is no second decision.
    expect((await decide(approval, runs ? approve : deny, as(by, 'boss'))).status).toBe(200);
    expect((await decide(approval, runs ? deny : approve, as(by, 'boss'))).status).toBe(409);
    expect((await eventsOf(id)).filter(({ type }) => type === 'approval.decided')).toHaveLength(1);
  });

  test('that nobody decides in time is decided by its rule', async () => {
    const denied = await askFor('hurry', {});
    await reaches(denied, 'completed');
    expect(calls).toEqual([]);
    const { body } = await api.http.get(`/v1/approvals?taskId=${denied}`, as('eve'));
    expect(body.approvals).toMatchObject([{ status: 'expired', decision: { runs: false, by: null } }]);
    await reaches(await askFor('glide', {}), 'completed');
    expect(calls).toMatchObject([{ tool: 'glide' }]);
  });

  test('is escalated: then others may decide too', async () => {
    const id = await askFor('climb', {});
    const approval = await pendingOf(id);
    expect((await decide(approval, approve, boss)).status).toBe(404);
    await until('the approval is escalated', async () =>
      (await eventsOf(id)).some(({ type }) => type === 'approval.escalated'),
    );
    const mine = await api.http.get('/v1/approvals?mine=true', boss);
    expect(mine.body.approvals).toMatchObject([{ id: approval, approvers: { roles: ['boss'] } }]);
    expect((await decide(approval, approve, boss)).status).toBe(200);
    await reaches(id, 'completed');
    expect(calls).toHaveLength(1);
  });

  test('of a task that is cancelled is withdrawn', async () => {
    const id = await askFor('pay', { amount: 500 });
    const approval = await pendingOf(id);
    await api.http.post(`/v1/tasks/${id}/cancel`, {}, as('eve'));
    await reaches(id, 'cancelled');
    expect((await api.http.get(`/v1/approvals/${approval}`, boss)).body).toMatchObject({ status: 'withdrawn' });
    expect(await decide(approval, approve, boss)).toMatchObject({ status: 409, body: { code: 'approval_decided' } });
    expect(calls).toEqual([]);
  });

  test('among several of a step: none runs before all are decided, and each has its own verdict', async () => {
    api.script([
      {
        calls: [
          { tool: 'pay', arguments: { amount: 200 } },
          { tool: 'pay', arguments: { amount: 300 } },
          { tool: 'pay', arguments: { amount: 10 } },
        ],
      },
      { text: ['Done.'] },
    ]);
    const { id } = (await api.http.post('/v1/tasks', { input: { text: 'Pay.' } }, as('eve'))).body;
    const { approvals } = (await reaches(id, 'waiting')).waiting;
    expect(approvals).toHaveLength(2);
    await decide(approvals[0], approve, boss);
    expect((await reaches(id, 'waiting')).status).toBe('waiting');
    expect(calls).toEqual([]);
    await decide(approvals[1], deny, boss);
    await reaches(id, 'completed');
    expect(calls.map(({ input }) => JSON.stringify(input)).toSorted()).toEqual(['{"amount":10}', '{"amount":200}']);
  });
});

test('a call that was approved with arguments A does not run with arguments B', async () => {
  const id = await askFor('pay', { amount: 500 });
  const approval = await pendingOf(id);
  await decide(approval, approve, boss);
  await reaches(id, 'completed');
  calls = [];

  // Whatever the rows come to say after the decision: neither other arguments nor another approval run.
  const tampering = [
    `update approvals set arguments = '{"amount": 9000}' where id = $1`,
    `update approvals set edited = '{"amount": 9000}' where id = $1`,
    `update approvals set arguments = '{"amount": 9000}', decided_hash = '${hashArguments({ amount: 9_000 })}' where id = $1`,
    `update approvals set decided_hash = null where id = $1`,
  ];
  for (const tampered of tampering) {
    const next = await askFor('pay', { amount: 500 });
    const waiting = await pendingOf(next);
    // The worker that is to run the call finds the row changed: the trigger fires with the decision itself.
    await api.postgres.pool.query(
      `create function tamper() returns trigger language plpgsql as $f$ begin
         if new.status = 'approved' and old.status = 'pending' then ${tampered.replace('$1', 'new.id')}; end if; return null; end $f$;
       create trigger tamper after update on approvals for each row execute function tamper();`,
    );
    await decide(waiting, approve, boss);
    await reaches(next, 'completed');
    await api.postgres.pool.query('drop trigger tamper on approvals; drop function tamper()');
    const told = (await eventsOf(next)).find(({ type }) => type === 'tool.completed');
    expect([tampered, calls]).toEqual([tampered, []]);
    expect(told?.data).toMatchObject({ isError: true });
  }
});

test('of a tool that is not configured any more can only be denied', async () => {
  const id = await askFor('sign', {}, as('ann'));
  const approval = (await reaches(id, 'waiting', as('ann'))).waiting.approvals[0];
  const { sign } = api.tools;
  delete api.tools['sign'];
  expect(await decide(approval, approve, as('bob'))).toMatchObject({ status: 422, body: { code: 'invalid_request' } });
  expect((await decide(approval, deny, as('bob'))).status).toBe(200);
  await reaches(id, 'completed', as('ann'));
  if (sign) api.tools['sign'] = sign;
});

test('an edit that is nested beyond all measure is refused', async () => {
  const deep = `{"decision": "approve", "edit": {"a": ${'['.repeat(20_000)}${']'.repeat(20_000)}}}`;
  const response = await fetch(`${api.url}/v1/approvals/019ab7a0-0000-7000-8000-000000000000`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: deep,
  });
  expect(response.status).toBe(422);
  expect(await response.text()).toContain('nested more than 100 levels deep');
});

test('lists what is pending, decided and mine, page by page, and nothing of other tenants', async () => {
  const ids = [];
  for (let n = 0; n < 3; n++) ids.push(await pendingOf(await askFor('pay', { amount: 1_000 + n })));
  const list = async (query: string, who = boss) => (await api.http.get(`/v1/approvals?${query}`, who)).body;
  expect((await list('mine=true')).approvals.map(({ id }: { id: string }) => id)).toEqual(ids.toReversed());
  const first = await list('status=pending&limit=2');
  expect(first.approvals).toHaveLength(2);
  expect((await list(`status=pending&limit=2&cursor=${first.nextCursor}`)).approvals).toMatchObject([{ id: ids[0] }]);
  for (const id of ids) await decide(id, deny, boss);
  expect((await list('mine=true')).approvals).toEqual([]);
  expect((await list('status=decided')).approvals.length).toBeGreaterThanOrEqual(3);
  expect((await list('mine=true', as('mallory'))).approvals).toEqual([]);
  expect((await api.http.get('/v1/approvals?cursor=x', boss)).status).toBe(422);
  expect((await api.http.get('/v1/approvals/019ab7a0-0000-7000-8000-000000000000', boss)).status).toBe(404);
});
