import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { agents } from '../../agents/index.ts';
import type { EvalCase } from '../../cli/agents/cases.ts';
import type { Judge } from '../../cli/agents/judge.ts';
import { runCase, type Engine } from '../../cli/agents/run-case.ts';
import { localPrincipal } from '../../contract/principal.ts';
import { createTaskHarness, scope, type TaskHarness } from '../support/tasks/task-harness.ts';

let harness: TaskHarness;
beforeAll(async () => {
  harness = await createTaskHarness({
    ALFRED_AGENTS: JSON.stringify({ knowledge: { approvals: [{ tool: 'send' }] } }),
  });
});
afterAll(() => harness.close());

const run = (wanted: Partial<EvalCase> = {}, more: Partial<Engine> = {}) => {
  const { knowledge: agent } = agents;
  if (!agent) throw new Error('no agent');
  return runCase(
    { adapters: harness, principal: localPrincipal, ...more },
    { name: 'knowledge', agent },
    {
      name: 'case',
      input: { text: 'What?' },
      approvals: 'approve',
      checks: { status: 'completed' },
      ...wanted,
    },
  );
};
const send = { calls: [{ tool: 'send', arguments: {} }] };

test('a case that throws has failed, and its task has ended when the next one may begin', async () => {
  harness.tool('send', async () => ({ output: 1, summary: '' }), { effect: 'write' });
  harness.script([send, { text: ['Done.'] }]);
  const control = {
    tasks: harness.control.tasks,
    approvals: { decide: () => Promise.reject(new Error('the line broke')) },
  };
  const result = await run({}, { adapters: { ...harness, control } });
  expect(result.faults).toEqual(['it could not be run: the line broke']);
  expect((await harness.row(result.taskId)).status).toBe('cancelled');
});

test('a test decides as itself, and not in the name of a person', async () => {
  harness.tool('send', async () => ({ output: 1, summary: '' }), { effect: 'write' });
  harness.script([send, { text: ['Done.'] }]);
  const { taskId, faults } = await run();
  expect(faults).toEqual([]);
  const events = await harness.followToEnd(taskId);
  expect(events.find(({ type }) => type === 'approval.decided')?.data).toMatchObject({ by: 'evaluation', runs: true });
});

test('a case that is cancelled ends with its task, also while a tool runs', async () => {
  const interrupt = new AbortController();
  harness.tool('search_documents', async (_input, { signal }) => {
    interrupt.abort();
    await once(signal, 'abort');
    throw signal.reason;
  });
  harness.script([{ calls: [{ tool: 'search_documents', arguments: {} }] }, { text: ['Done.'] }]);
  const { taskId, faults } = await run({}, { signal: interrupt.signal });
  expect(faults).toEqual(['cancelled']);
  expect((await harness.row(taskId)).status).toBe('cancelled');
  expect(await run({}, { signal: interrupt.signal })).toMatchObject({ taskId: '', faults: ['cancelled'] });
});

test('a judge has a say in whether a case passes, beside the other checks', async () => {
  const asked: Parameters<Judge>[0][] = [];
  const judge =
    (verdict: 'yes' | 'no'): Judge =>
    async (judged) => {
      asked.push(judged);
      return { model: 'a:b', verdict, reason: 'So it is.', costUsd: 0.5 };
    };
  const checks = { status: 'completed', judge: 'It is short.', contains: ['Done'] } as const;
  const wanted = { checks: { ...checks, contains: [...checks.contains] } };
  harness.script([{ text: ['Done.'] }]);
  const passed = await run(wanted, { judge: judge('yes') });
  expect(passed).toMatchObject({ faults: [], judgement: { verdict: 'yes', costUsd: 0.5 } });
  expect(asked).toMatchObject([{ criterion: 'It is short.', input: { text: 'What?' }, result: { text: 'Done.' } }]);
  harness.script([{ text: ['No.'] }]);
  const failed = await run(wanted, { judge: judge('no') });
  expect(failed.faults).toEqual(['the answer lacks "Done"', 'a:b says that it does not: So it is.']);
});

test('without a model that judges a judged case is not run, and has neither passed nor failed', async () => {
  const before = await harness.tasks.list(scope, { limit: 100 });
  expect(await run({ checks: { status: 'completed', judge: 'It is short.' } })).toMatchObject({
    skipped: true,
    faults: [],
    taskId: '',
  });
  expect((await harness.tasks.list(scope, { limit: 100 })).tasks).toHaveLength(before.tasks.length);
});
