import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createApiHarness, type ApiHarness } from '../api/api-harness.ts';
import { recordCalls } from '../support/ledger/record-calls.ts';
import { alfred } from './run-alfred.ts';

let harness: ApiHarness;
beforeAll(async () => {
  harness = await createApiHarness();
  await recordCalls(harness, [
    { at: '2026-03-01T10:00:00Z', model: 'openai:gpt-6-sol', tokens: 1_500, costUsd: '12.5' },
    { at: '2026-03-02T10:00:00Z', model: 'offline:quote', tokens: 5 },
    { at: '2026-03-02T11:00:00Z', model: 'offline:quote', tokens: 5, outcome: 'model_unavailable' },
  ]);
});
afterAll(() => harness?.close());

const usage = (...args: string[]) => alfred(['usage', ...args], { ALFRED_URL: harness.url, NO_COLOR: '1' });
const march = ['--from', '2026-03-01', '--to', '2026-03-31'];

test('usage is a table with a total and right-aligned numbers', async () => {
  const { code, stdout, stderr } = await usage(...march);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '2026-03-01 to 2026-03-31, UTC\n' });
  expect(stdout).toBe(
    [
      'DAY         AGENT      MODEL             CALLS  FAILED  INPUT  CACHED  WRITTEN  OUTPUT    COST',
      '2026-03-01  knowledge  openai:gpt-6-sol      1       0  1,500   3,000    4,500   6,000  $12.50',
      '2026-03-02  knowledge  offline:quote         2       1     10      20       30      40      $0',
      'total                                        3       1  1,510   3,020    4,530   6,040  $12.50',
      '',
    ].join('\n'),
  );
});

test('--by chooses the groups and their order, and a single row has no total', async () => {
  const { stdout } = await usage(...march, '--by', 'tenant, agent');
  expect(stdout.split('\n').map((line) => line.split(/ {2,}/).slice(0, 4))).toEqual([
    ['TENANT', 'AGENT', 'CALLS', 'FAILED'],
    ['local', 'knowledge', '3', '1'],
    [''],
  ]);
});

test('--json prints the report as JSON', async () => {
  const { code, stdout } = await usage(...march, '--by', 'day', '--json');
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ rows: [{ day: '2026-03-01' }, { day: '2026-03-02' }] });
});

test('without model calls in the period, the command says so', async () => {
  const { code, stdout, stderr } = await usage('--from', '2026-01-01', '--to', '2026-01-02');
  expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
  expect(stderr).toContain('No model was called in these days.');
});

test('an invalid period is refused with the server’s message', async () => {
  const { code, stdout, stderr } = await usage('--from', '2026-03-02', '--to', '2026-03-01');
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toContain('--to: is before from (2026-03-02 to 2026-03-01)');
});
