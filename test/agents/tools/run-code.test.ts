import { expect, test } from '@jest/globals';
import { createSandbox } from '../../../adapters/sandbox/sandbox.ts';
import { runCodeTool } from '../../../agents/tools/run-code.ts';
import type { JsonValue } from '../../../contract/json.ts';

const tool = runCodeTool(createSandbox());
const call = (input: JsonValue) =>
  tool.run(input, {
    scope: { tenant: 'local', subject: 'local' },
    taskId: 'task',
    receiptKey: 'task/1/call',
    signal: new AbortController().signal,
    beforeSend: async () => {},
  });

test('returns the result, what was printed, and the names of its files', async () => {
  const program = `print('rows', inputs.length);
    file('sums.csv', csv.format(inputs)); chart({ type: 'bar', labels: ['a'], series: [{ values: [1] }] });
    stats.sum(inputs.map(({ sum }) => sum))`;
  const { artifacts = [], ...outcome } = await call({ program, inputs: [{ sum: 1.5 }, { sum: 2 }] });
  expect(outcome).toEqual({
    output: { result: 3.5, printed: 'rows 2', files: ['sums.csv', 'chart.svg'] },
    summary: 'result: 3.5; made 2 files',
  });
  expect(artifacts.map(({ name, mediaType }) => [name, mediaType])).toEqual([
    ['sums.csv', 'text/csv'],
    ['chart.svg', 'image/svg+xml'],
  ]);
  expect(Buffer.from(artifacts[0]!.bytes).toString()).toBe('sum\n1.5\n2\n');
});

test('a table of a program has no formula that a sheet would run', async () => {
  const program = `file('a.csv', csv.format([{ name: '=HYPERLINK("http://x")', sum: '-5' }]) + '@SUM(A1),x;=1'); 1`;
  const { artifacts = [] } = await call({ program });
  expect(Buffer.from(artifacts[0]!.bytes).toString()).toBe(`name,sum\n"'=HYPERLINK(""http://x"")",-5\n'@SUM(A1),x;'=1`);
});

test('a program that fails is a result that the model can mend, and no wrong call', async () => {
  expect(await call({ program: `print('begun'); inputs.rows.length` })).toEqual({
    output: { error: "TypeError: cannot read property 'rows' of null (line 1)", printed: 'begun' },
    summary: "TypeError: cannot read property 'rows' of null (line 1)",
    isError: true,
  });
});

test('a long result has a short line for people', async () => {
  const { summary } = await call({ program: `'é'.repeat(1000)` });
  expect(summary.length).toBeLessThan(100);
});

test('a call without a program is wrong', async () => {
  for (const input of [{}, { program: '' }, { program: 1 }, { program: '1', timeout: 9 }])
    await expect(call(input)).rejects.toMatchObject({ code: 'invalid_request' });
});
