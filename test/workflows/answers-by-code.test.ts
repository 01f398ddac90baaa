import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { z } from 'zod';
import { inputWithIntents, intent } from '../../agents/intents.ts';
import type { Agent } from '../../agents/agent.ts';
import { typedTool } from '../../agents/tools/typed-tool.ts';
import { agentQueue, systemQueue } from '../../contract/ids.ts';
import { AlfredError } from '../../contract/errors.ts';
import { TaskResult, type TaskRequest } from '../../contract/task.ts';
import { createTaskHarness, type TaskHarness } from '../support/tasks/task-harness.ts';

const addTool = typedTool({
  name: 'add',
  description: 'adds two numbers',
  answers: true,
  input: z.object({ a: z.number(), b: z.number() }),
  check({ a }) {
    if (a < 0) throw new AlfredError('invalid_request', 'a is negative');
  },
  run: async ({ a, b }) => ({
    output: { answer: `**${a + b}** by the list [1].`, data: { sum: a + b } },
    summary: 'added',
  }),
});
const adder: Agent = {
  description: 'Adds.',
  instructions: 'Add.',
  tools: ['add'],
  ownTools: { add: addTool },
  maxSteps: 5,
  input: inputWithIntents(['add'], {
    ADD: intent({ tool: 'add', input: z.object({ a: z.number(), b: z.number() }), ask: ({ a, b }) => `${a} + ${b}` }),
  }),
  output: TaskResult,
  offlineCall(text) {
    const [, a, b] = /^(\d+) plus (\d+)$/.exec(text) ?? [];
    return a && b ? { name: 'add', arguments: { a: Number(a), b: Number(b) } } : undefined;
  },
};

let harness: TaskHarness;
beforeAll(async () => {
  harness = await createTaskHarness(
    { ALFRED_AGENTS: JSON.stringify({ assistant: { model: 'offline:quote' } }) },
    {
      agents: { knowledge: adder, assistant: adder },
      queues: [agentQueue('knowledge'), agentQueue('assistant'), systemQueue],
    },
  );
});
afterAll(() => harness?.close());

const parsed = (input: object) => adder.input.parse(input) as TaskRequest['input'];

async function ended(request: Parameters<TaskHarness['start']>[0]) {
  const { id } = await harness.start(request);
  await harness.followToEnd(id);
  return harness.row(id);
}

test('a typed request is answered by its tool: no model is called, nothing is paid, and the answer has data', async () => {
  const requests = harness.script([]);
  const row = await ended({ input: parsed({ intent: 'ADD', a: 2, b: 3 }) });
  expect(row.result).toMatchObject({ text: '**5** by the list [1].', citations: [], data: { sum: 5 } });
  expect(row.usage).toMatchObject({ costUsd: 0, outputTokens: 0 });
  expect(requests).toEqual([]);
});

test('a call that the tool refuses is left to the model', async () => {
  const requests = harness.script([{ text: ['a must not be negative.'] }]);
  const row = await ended({ input: parsed({ intent: 'ADD', a: -2, b: 3 }) });
  expect(row.result).toMatchObject({ text: 'a must not be negative.' });
  expect(requests[0]?.messages.at(-1)).toMatchObject({ role: 'tool', results: [{ isError: true }] });
});

test('a request in words is the model’s, also where the agent could read it', async () => {
  harness.script([{ calls: [{ tool: 'add', arguments: { a: 1, b: 1 } }] }, { text: ['Two.'] }]);
  expect((await ended({ input: parsed({ text: '2 plus 3' }) })).result).toMatchObject({ text: 'Two.' });
});

test('offline, the agent reads words that it knows, and says of others that it needs a model', async () => {
  const offline = { agent: 'assistant' };
  const known = await ended({ input: parsed({ text: '2 plus 3' }), ...offline });
  expect(known.result).toMatchObject({ text: '**5** by the list [1].', data: { sum: 5 } });
  const other = await ended({ input: parsed({ text: 'What is the sum of two and three?' }), ...offline });
  expect(other.result?.text).toContain('I cannot understand this request without a model.');
});
