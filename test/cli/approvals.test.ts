import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createApiHarness, type ApiHarness } from '../api/api-harness.ts';
import { alfred } from './run-alfred.ts';
import { until } from '../support/until.ts';

let harness: ApiHarness;
beforeAll(async () => {
  harness = await createApiHarness({ ALFRED_AGENTS: JSON.stringify({ knowledge: { approvals: [{ tool: 'pay' }] } }) });
  harness.tool('pay', async (input) => ({ output: input, summary: `paid ${JSON.stringify(input)}` }), {
    effect: 'write',
  });
});
afterAll(() => harness?.close());

const run = (...args: string[]) => alfred(args, { ALFRED_URL: harness.url, NO_COLOR: '1' });
/** Starts a task whose call waits for an approval. @returns the task's id and the approval's */
async function waiting() {
  harness.script([{ calls: [{ tool: 'pay', arguments: { amount: 500 } }] }, { text: ['Done.'] }]);
  const { id } = (await harness.http.post('/v1/tasks', { input: { text: 'Pay.' } })).body;
  const approval = await until('the task waits', async () => (await harness.row(id)).waiting?.approvals?.[0]);
  return { id: id as string, approval };
}

test('without pending approvals, the command says so', async () => {
  expect(await run('approvals')).toMatchObject({
    code: 0,
    stdout: '',
    stderr: expect.stringContaining('Nothing waits'),
  });
});

test('a pending approval is listed, shown and approved with edited arguments', async () => {
  const { id, approval } = await waiting();
  expect((await run('approvals', 'list')).stdout).toContain(`${approval}  pay   pending  local`);
  expect((await run('tasks', 'show', id)).stdout).toContain(`alfred approvals approve ${approval}`);
  const shown = (await run('approvals', 'show', approval)).stdout;
  expect(shown).toContain('pay, by the agent knowledge');
  expect(shown).toContain('"amount": 500');
  const approved = await run('approvals', 'approve', approval, '--edit', '{"amount": 5}', '-c', 'less');
  expect(approved.stdout).toMatch(
    /^pay: approved by local at .*; it runs with other arguments: {"amount":5}\. “less”\n$/,
  );
  await harness.followToEnd(id);
  expect((await run('tasks', 'show', id)).stdout).toMatch(/pay {2,}done {2,}paid {"amount":5}/);
});

test('ask --json in a pipe says what the task waits for, and --timeout ends the wait', async () => {
  harness.script([{ calls: [{ tool: 'pay', arguments: { amount: 500 } }] }, { text: ['Done.'] }]);
  const { code, stdout, stderr } = await run('ask', '--json', '--timeout', '15', 'Pay.');
  const task = JSON.parse(stdout) as { id: string; status: string; waiting: { approvals: string[] } };
  expect({ code, task }).toMatchObject({ code: 124, task: { status: 'waiting' } });
  expect(stderr).toContain(`alfred approvals approve ${task.waiting.approvals[0]}`);
  expect(stderr).toContain('Stopped waiting after 15 s.');
  await run('approvals', 'deny', String(task.waiting.approvals[0]));
  await harness.followToEnd(task.id);
});

test('a second, different decision is refused, with the server’s message', async () => {
  const { id, approval } = await waiting();
  expect((await run('approvals', 'deny', approval)).stdout).toContain('it does not run');
  expect(await run('approvals', 'approve', approval)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('It was denied by local'),
  });
  await harness.followToEnd(id);
});

test('arguments that are not a JSON object are refused before a request is sent', async () => {
  const { code, stderr } = await run('approvals', 'approve', 'x', '--edit', '[1]');
  expect(code).toBe(2);
  expect(stderr).toContain('expected a JSON object');
});
