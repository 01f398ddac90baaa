import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { UsageReport } from '../../contract/usage.ts';
import { recordCalls, type RecordedCall } from '../support/ledger/record-calls.ts';
import { createApiHarness, type ApiHarness } from './api-harness.ts';

let harness: ApiHarness;
beforeAll(async () => {
  harness = await createApiHarness();
});
afterAll(() => harness?.close());
beforeEach(() => harness.postgres.pool.query('truncate model_calls, usage_days'));

const record = (...calls: RecordedCall[]) => recordCalls(harness, calls);

const usage = async (query: Record<string, string> = {}) => {
  const { status, body } = await harness.http.get(`/v1/usage?${new URLSearchParams(query).toString()}`);
  expect({ status, body }).toMatchObject({ status: 200 });
  return body as UsageReport;
};

test('a ledger without calls gives no rows and a total of zero', async () => {
  const nothing = { inputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0, outputTokens: 0, costUsd: 0 };
  expect(await usage({ from: '2026-01-01', to: '2026-01-01' })).toEqual({
    from: '2026-01-01',
    to: '2026-01-01',
    rows: [],
    total: { modelCalls: 0, ...nothing },
  });
});

test('calls are summed by day, agent and model, with their outcomes', async () => {
  await record(
    { at: '2026-03-02T08:00:00Z', tokens: 1, costUsd: '0.1' },
    { at: '2026-03-02T09:00:00Z', tokens: 10, costUsd: '0.2' },
    { at: '2026-03-02T09:00:00Z', tokens: 100, costUsd: '0.0000000001', outcome: 'model_unavailable' },
    { at: '2026-03-02T10:00:00Z', tokens: 1_000, outcome: 'wasted' },
    { at: '2026-03-02T10:00:00Z', model: 'openai:ft:gpt-6', outcome: 'lost' },
    { at: '2026-03-01T10:00:00Z', agent: 'tax' },
  );
  const usageOf = (modelCalls: number, tokens: number, costUsd: number) => ({
    modelCalls,
    inputTokens: tokens,
    cacheReadTokens: tokens * 2,
    cacheWriteTokens: tokens * 3,
    outputTokens: tokens * 4,
    costUsd,
  });
  const { rows, total } = await usage({ from: '2026-03-01', to: '2026-03-31' });
  expect(rows).toEqual([
    {
      day: '2026-03-01',
      agent: 'tax',
      model: 'anthropic:claude',
      usage: usageOf(1, 0, 0),
      outcomes: { completed: 1 },
    },
    {
      day: '2026-03-02',
      agent: 'knowledge',
      model: 'anthropic:claude',
      usage: usageOf(4, 1_111, 0.300_000_000_1),
      outcomes: { completed: 2, model_unavailable: 1, wasted: 1 },
    },
    {
      day: '2026-03-02',
      agent: 'knowledge',
      model: 'openai:ft:gpt-6',
      usage: usageOf(1, 0, 0),
      outcomes: { lost: 1 },
    },
  ]);
  // Exact, although binary fractions cannot represent 0.1 + 0.2.
  expect(total).toEqual(usageOf(6, 1_111, 0.300_000_000_1));
});

test('open calls are left out', async () => {
  await record({ at: '2026-03-02T08:00:00Z' }, { at: '2026-03-02T08:00:00Z', outcome: 'open', costUsd: '9' });
  expect((await usage({ from: '2026-03-02', to: '2026-03-02' })).total).toMatchObject({ modelCalls: 1, costUsd: 0 });
});

test('calls of other tenants are left out', async () => {
  await record({ at: '2026-03-02T08:00:00Z', tenant: 'acme', costUsd: '9' }, { at: '2026-03-02T08:00:00Z' });
  const { rows } = await usage({ from: '2026-03-02', to: '2026-03-02', by: 'tenant' });
  expect(rows).toEqual([expect.objectContaining({ tenant: 'local', outcomes: { completed: 1 } })]);
});

test('days are UTC, and include the first and the last day completely', async () => {
  await record(
    { at: '2026-03-01T23:59:59.999Z' },
    { at: '2026-03-02T00:00:00Z' },
    { at: '2026-03-03T23:59:59.999Z' },
    { at: '2026-03-04T00:00:00Z' },
  );
  const { rows } = await usage({ from: '2026-03-02', to: '2026-03-03', by: 'day' });
  expect(rows.map(({ day }) => day)).toEqual(['2026-03-02', '2026-03-03']);
});

test('rows have the requested groups only, in that order, each group once', async () => {
  await record(
    { at: '2026-03-02T08:00:00Z', model: 'anthropic:b' },
    { at: '2026-03-03T08:00:00Z', model: 'anthropic:a' },
    { at: '2026-03-02T08:00:00Z', model: 'anthropic:a', agent: 'tax' },
    { at: '2026-03-02T08:00:00Z', model: 'anthropic:a' },
  );
  const { rows } = await usage({ from: '2026-03-01', to: '2026-03-31', by: 'model,day,model' });
  expect(rows.map(({ usage: { modelCalls }, outcomes: _, ...group }) => [group, modelCalls])).toEqual([
    [{ model: 'anthropic:a', day: '2026-03-02' }, 2],
    [{ model: 'anthropic:a', day: '2026-03-03' }, 1],
    [{ model: 'anthropic:b', day: '2026-03-02' }, 1],
  ]);
});

test('the default report covers the last thirty days, with today', async () => {
  const before = new Date().toISOString().slice(0, 10);
  await record({ at: new Date().toISOString() });
  const { from, to, total } = await usage();
  expect(total.modelCalls).toBe(1);
  expect([before, new Date().toISOString().slice(0, 10)]).toContain(to);
  expect(Date.parse(to) - Date.parse(from)).toBe(29 * 86_400_000);
  expect(await usage({ to: '2026-03-30' })).toMatchObject({ from: '2026-03-01', to: '2026-03-30' });
});

test('a report may cover a leap year, and the last possible day', async () => {
  expect(await usage({ from: '9999-12-31', to: '9999-12-31' })).toMatchObject({ rows: [] });
  expect(await usage({ from: '2028-01-01', to: '2028-12-31' })).toMatchObject({ rows: [] });
});

test.each([
  [{ from: '2026-03-02', to: '2026-03-01' }, 'query.to', 'is before from (2026-03-02 to 2026-03-01)'],
  [{ from: '2999-01-01' }, 'query.to', 'is before from'],
  [{ from: '2026-01-01', to: '2027-01-02' }, 'query.to', 'is 367 days from 2026-01-01; ask for 366 at a time'],
  [{ from: '2026-02-30' }, 'query.from', ''],
  [{ from: '0000-01-01', to: '0000-01-02' }, 'query.from', 'expected 1970-01-01 or later'],
  [{ to: 'yesterday' }, 'query.to', ''],
  [{ by: 'week' }, 'query.by', 'expected some of day, agent, tenant, model'],
  [{ by: '' }, 'query.by', 'expected some of'],
  [{ group: 'day' }, 'query', 'group'],
])('%j is refused with the path of the fault', async (query, path, message) => {
  const { status, body } = await harness.http.get(
    `/v1/usage?${new URLSearchParams(query as Record<string, string>).toString()}`,
  );
  expect({ status, code: body.code }).toEqual({ status: 422, code: 'invalid_request' });
  expect(body.issues).toContainEqual({ path, message: expect.stringContaining(message) });
});
