import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { hashArguments } from '../../runtime/hash.ts';
import { person } from '../support/principals.ts';
import { until } from '../support/until.ts';
import { as, createApprovalHarness, type ApprovalHarness } from './approval-harness.ts';

let api: ApprovalHarness;
let calls: ApprovalHarness['calls'];
beforeAll(async () => {
  api = await createApprovalHarness();
  calls = api.calls;
});
beforeEach(() => {
  calls.length = 0;
});
afterAll(() => api?.close());

const approve = { decision: 'approve' };
const deny = { decision: 'deny' };
const boss = as('ben', 'boss');

describe('a call that needs approval', () => {
  test('waits, is decided by an approver, and runs with the approved arguments', async () => {
    const id = await api.askFor('pay', { amount: 500 });
    const approval = await api.pendingOf(id);
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
    expect((await api.decide(approval, { ...approve, comment: 'fine' }, boss)).body).toMatchObject({
      status: 'approved',
      decision: { runs: true, by: 'ben', comment: 'fine', edited: null },
    });
    const completedTask = await api.reaches(id, 'completed');
    expect(calls).toEqual([{ tool: 'pay', input: { amount: 500 } }]);
    expect(completedTask.effects).toMatchObject([{ tool: 'pay', state: 'done', summary: 'pay' }]);
    const types = (await api.eventsOf(id)).map(({ type }) => type);
    expect(types.filter((type) => /approval|waiting|resumed/.test(type))).toEqual([
      'approval.requested',
      'task.waiting',
      'approval.decided',
      'task.resumed',
    ]);
    const { events } = await api.client.workflow.getHandle(`task/${id}`).fetchHistory();
    expect(JSON.stringify(events)).not.toMatch(/fine|"amount"/);
  });

  test('to which no rule applies runs at once', async () => {
    await api.reaches(await api.askFor('pay', { amount: 100 }), 'completed');
    await api.reaches(await api.askFor('pay', { amount: 900 }, as('eve', 'cfo')), 'completed');
    expect(calls).toHaveLength(2);
  });

  test('takes the notes of those who decided with it when its task is deleted', async () => {
    const id = await api.askFor('pay', { amount: 500, to: 'x' });
    await api.decide(
      await api.pendingOf(id),
      { ...approve, comment: 'NOTED', edit: { amount: 51, to: 'NOTED' } },
      boss,
    );
    await api.reaches(id, 'completed');
    const contents = async () =>
      (await api.postgres.pool.query(`select convert_from(bytes, 'UTF8') as text from contents`)).rows;
    expect(JSON.stringify(await contents())).toContain('NOTED');
    const deleted = await api.http.request(`/v1/tasks/${id}`, { method: 'DELETE', headers: as('eve') });
    expect(deleted.status).toBe(204);
    expect(JSON.stringify(await contents())).not.toContain('NOTED');
  });

  test('denied with a comment is not made, and the model reads the comment', async () => {
    const id = await api.askFor('pay', { amount: 500 });
    await api.decide(await api.pendingOf(id), { ...deny, comment: 'Too much.' }, boss);
    await api.reaches(id, 'completed');
    expect(calls).toEqual([]);
    const completed = (await api.eventsOf(id)).find(({ type }) => type === 'tool.completed');
    expect(completed?.data).toMatchObject({ isError: true, summary: expect.stringContaining('Too much.') });
    expect((await api.reaches(id, 'completed')).effects).toEqual([]);
  });

  test('runs with the edited arguments, which are checked first and recorded', async () => {
    const requests = api.script([
      { calls: [{ tool: 'pay', arguments: { amount: 500, to: 'x' } }] },
      { text: ['Done.'] },
    ]);
    const id = (await api.http.post('/v1/tasks', { input: { text: 'Do it.' } }, as('eve'))).body.id as string;
    const approval = await api.pendingOf(id);
    const invalid = await api.decide(approval, { ...approve, edit: { amount: 'lots' } }, boss);
    expect(invalid).toMatchObject({ status: 422, body: { code: 'invalid_request' } });
    expect(invalid.body.detail).toContain('amount');
    expect((await api.decide(approval, { ...deny, edit: {} }, boss)).status).toBe(422);
    const lower = { ...approve, comment: 'less', edit: { amount: 50, to: 'x' } };
    const edited = await api.decide(approval, lower, boss);
    expect(edited.body.decision).toMatchObject({
      edited: { amount: 50, to: 'x' },
      argumentsHash: hashArguments({ to: 'x', amount: 50 }),
    });
    await api.reaches(id, 'completed');
    expect(calls).toEqual([{ tool: 'pay', input: { amount: 50, to: 'x' } }]);
    const decided = (await api.eventsOf(id)).find(({ type }) => type === 'approval.decided');
    expect(decided?.data).toMatchObject({ by: 'ben', runs: true, edited: { amount: 50 } });
    const read = JSON.stringify(requests[1]?.messages.at(-1));
    for (const part of ['with other arguments', '"amount":50', 'less', '"did":"pay"']) expect(read).toContain(part);
    // Repeating the decision is safe; other arguments are another decision.
    expect((await api.decide(approval, lower, boss)).status).toBe(200);
    for (const other of [approve, { ...lower, edit: { amount: 60, to: 'x' } }])
      expect(await api.decide(approval, other, boss)).toMatchObject({
        status: 409,
        body: { code: 'approval_decided' },
      });
  });

  test('is not decided without the right or with other arguments than shown', async () => {
    const id = await api.askFor('pay', { amount: 500 });
    const approval = await api.pendingOf(id);
    // The requester sees the approval but may not decide it. A stranger does not even see it.
    expect(await api.decide(approval, approve, as('eve'))).toMatchObject({
      status: 403,
      body: { code: 'approval_forbidden' },
    });
    expect((await api.decide(approval, approve, as('mallory'))).status).toBe(404);
    const stale = await api.decide(approval, { ...approve, argumentsHash: hashArguments({ amount: 5 }) }, boss);
    expect(stale).toMatchObject({ status: 409, body: { code: 'approval_changed' } });
    await api.decide(approval, approve, boss);
    await api.reaches(id, 'completed');
  });

  test.each([true, false])('under four eyes is not decided by who has known the key; ann asked: %s', async (isAnn) => {
    const key = await api.keyOf('ann');
    const [asker, other] = isAnn ? [as('ann'), as(key.subject)] : [as(key.subject), as('ann')];
    const id = await api.askFor('share', {}, asker);
    const approval = await api.pendingOf(id, asker);
    const mine = async (who: Record<string, string>) =>
      (await api.http.get(`/v1/approvals?mine=true&taskId=${id}`, who)).body.approvals;
    expect(await mine(as('max'))).toMatchObject([{ id: approval }]);
    await api.apiKeys.rotate({ ...person('max'), of: 'tenant' }, key.id, Buffer.alloc(32), 0);
    for (const who of [asker, other, ...(isAnn ? [] : [as('max')])])
      expect([(await api.decide(approval, approve, who)).status, await mine(who)]).toEqual([403, []]);
    expect((await api.decide(approval, approve, as('bob'))).status).toBe(200);
    await api.reaches(id, 'completed', asker);
  });

  test('is decided once: of two concurrent decisions the second learns who decided and how', async () => {
    const id = await api.askFor('pay', { amount: 500 });
    const approval = await api.pendingOf(id);
    const answers = await Promise.all([
      api.decide(approval, approve, as('ben', 'boss')),
      api.decide(approval, deny, as('bea', 'boss')),
    ]);
    const [won, lost] = answers.toSorted((a, b) => a.status - b.status);
    expect([won?.status, lost?.status]).toEqual([200, 409]);
    expect(lost?.body).toMatchObject({ code: 'approval_decided' });
    expect(lost?.body.detail).toContain(won?.body.decision.by);
    expect(lost?.body.detail).toContain(won?.body.status);
    await api.reaches(id, 'completed');
    const { by, runs } = won?.body.decision as { by: string; runs: boolean };
    expect(calls).toHaveLength(runs ? 1 : 0);
    // The same person may repeat the decision; it counts once.
    expect((await api.decide(approval, runs ? approve : deny, as(by, 'boss'))).status).toBe(200);
    expect((await api.decide(approval, runs ? deny : approve, as(by, 'boss'))).status).toBe(409);
    expect((await api.eventsOf(id)).filter(({ type }) => type === 'approval.decided')).toHaveLength(1);
  });

  test('that no one decides in time is decided by its rule', async () => {
    const denied = await api.askFor('hurry', {});
    await api.reaches(denied, 'completed');
    expect(calls).toEqual([]);
    const { body } = await api.http.get(`/v1/approvals?taskId=${denied}`, as('eve'));
    expect(body.approvals).toMatchObject([{ status: 'expired', decision: { runs: false, by: null } }]);
    await api.reaches(await api.askFor('glide', {}), 'completed');
    expect(calls).toMatchObject([{ tool: 'glide' }]);
  });

  test('is escalated, and then others may decide it too', async () => {
    const id = await api.askFor('climb', {});
    const approval = await api.pendingOf(id);
    expect((await api.decide(approval, approve, boss)).status).toBe(404);
    await until('the approval is escalated', async () =>
      (await api.eventsOf(id)).some(({ type }) => type === 'approval.escalated'),
    );
    const mine = await api.http.get('/v1/approvals?mine=true', boss);
    expect(mine.body.approvals).toMatchObject([{ id: approval, approvers: { roles: ['boss'] } }]);
    expect((await api.decide(approval, approve, boss)).status).toBe(200);
    await api.reaches(id, 'completed');
    expect(calls).toHaveLength(1);
  });

  test('is withdrawn when its task is cancelled', async () => {
    const id = await api.askFor('pay', { amount: 500 });
    const approval = await api.pendingOf(id);
    await api.http.post(`/v1/tasks/${id}/cancel`, {}, as('eve'));
    await api.reaches(id, 'cancelled');
    expect((await api.http.get(`/v1/approvals/${approval}`, boss)).body).toMatchObject({ status: 'withdrawn' });
    expect(await api.decide(approval, approve, boss)).toMatchObject({
      status: 409,
      body: { code: 'approval_decided' },
    });
    expect(calls).toEqual([]);
  });

  test('among several of a step: none runs before all are decided, and each has its own decision', async () => {
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
    const { approvals } = (await api.reaches(id, 'waiting')).waiting;
    expect(approvals).toHaveLength(2);
    await api.decide(approvals[0], approve, boss);
    expect((await api.reaches(id, 'waiting')).status).toBe('waiting');
    expect(calls).toEqual([]);
    await api.decide(approvals[1], deny, boss);
    await api.reaches(id, 'completed');
    expect(calls.map(({ input }) => JSON.stringify(input)).toSorted()).toEqual(['{"amount":10}', '{"amount":200}']);
  });
});

test('a call that was approved with some arguments does not run with others', async () => {
  const id = await api.askFor('pay', { amount: 500 });
  const approval = await api.pendingOf(id);
  await api.decide(approval, approve, boss);
  await api.reaches(id, 'completed');
  calls.length = 0;

  // Changes the row after the decision. Neither changed arguments nor a changed approval run.
  const tampering = [
    `update approvals set arguments = '{"amount": 9000}' where id = $1`,
    `update approvals set edited = '{"amount": 9000}' where id = $1`,
    `update approvals set arguments = '{"amount": 9000}', decided_hash = '${hashArguments({ amount: 9_000 })}' where id = $1`,
    `update approvals set decided_hash = null where id = $1`,
  ];
  for (const tampered of tampering) {
    const next = await api.askFor('pay', { amount: 500 });
    const waiting = await api.pendingOf(next);
    // The trigger fires with the decision itself, so the worker always reads the changed row.
    await api.postgres.pool.query(
      `create function tamper() returns trigger language plpgsql as $f$ begin
         if new.status = 'approved' and old.status = 'pending' then ${tampered.replace('$1', 'new.id')}; end if; return null; end $f$;
       create trigger tamper after update on approvals for each row execute function tamper();`,
    );
    await api.decide(waiting, approve, boss);
    await api.reaches(next, 'completed');
    await api.postgres.pool.query('drop trigger tamper on approvals; drop function tamper()');
    const completed = (await api.eventsOf(next)).find(({ type }) => type === 'tool.completed');
    expect([tampered, calls]).toEqual([tampered, []]);
    expect(completed?.data).toMatchObject({ isError: true });
  }
});

test('a call of a tool that is no longer configured can only be denied', async () => {
  const id = await api.askFor('sign', {}, as('ann'));
  const approval = (await api.reaches(id, 'waiting', as('ann'))).waiting.approvals[0];
  const { sign } = api.tools;
  delete api.tools['sign'];
  expect(await api.decide(approval, approve, as('bob'))).toMatchObject({
    status: 422,
    body: { code: 'invalid_request' },
  });
  expect((await api.decide(approval, deny, as('bob'))).status).toBe(200);
  await api.reaches(id, 'completed', as('ann'));
  if (sign) api.tools['sign'] = sign;
});

test('an edit that is nested too deeply is refused', async () => {
  const deep = `{"decision": "approve", "edit": {"a": ${'['.repeat(20_000)}${']'.repeat(20_000)}}}`;
  const response = await fetch(`${api.url}/v1/approvals/019ab7a0-0000-7000-8000-000000000000`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: deep,
  });
  expect(response.status).toBe(422);
  expect(await response.text()).toContain('nested more than 100 levels deep');
});

test('lists pending and decided approvals and those of the caller, page by page', async () => {
  const ids = [];
  for (let n = 0; n < 3; n++) ids.push(await api.pendingOf(await api.askFor('pay', { amount: 1_000 + n })));
  const list = async (query: string, who = boss) => (await api.http.get(`/v1/approvals?${query}`, who)).body;
  expect((await list('mine=true')).approvals.map(({ id }: { id: string }) => id)).toEqual(ids.toReversed());
  const first = await list('status=pending&limit=2');
  expect(first.approvals).toHaveLength(2);
  expect((await list(`status=pending&limit=2&cursor=${first.nextCursor}`)).approvals).toMatchObject([{ id: ids[0] }]);
  for (const id of ids) await api.decide(id, deny, boss);
  expect((await list('mine=true')).approvals).toEqual([]);
  expect((await list('status=decided')).approvals.length).toBeGreaterThanOrEqual(3);
  expect((await list('mine=true', as('mallory'))).approvals).toEqual([]);
  expect((await api.http.get('/v1/approvals?cursor=x', boss)).status).toBe(422);
  expect((await api.http.get('/v1/approvals/019ab7a0-0000-7000-8000-000000000000', boss)).status).toBe(404);
});
