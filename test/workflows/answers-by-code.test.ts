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
const passages = Array.from({ length: 6 }, (_, n) => ({
  chunkId: `clause-${n + 1}`,
  documentId: '11111111-1111-4111-8111-111111111111',
  document: 'contract.md',
  title: 'Contract',
  headingPath: [],
  page: null,
  contentHash: 'h',
  text: `Clause ${n + 1} ends after ${n + 10} days. ${'More of it. '.repeat(1_000)}`,
  start: 0,
  end: 12_100,
}));
const List = z.object({
  lines: z.int(),
  dataCharacters: z.int().default(0),
  clause: z.int().optional(),
  isCited: z.boolean(),
});
/** Reads a list of so many lines, and cites from a contract the clause that is asked for, if one is. */
const listTool = typedTool({
  name: 'list',
  description: 'lists',
  answers: true,
  input: List,
  run: async ({ lines, dataCharacters, clause, isCited }) => ({
    output: {
      answer: `${'- a line\n'.repeat(lines)}The end${clause === undefined ? '' : ` [${clause}]`}.`,
      ...(isCited ? { citedAs: Object.fromEntries(passages.map(({ chunkId }, n) => [chunkId, n + 1])) } : {}),
      ...(clause === undefined ? {} : { passages }),
      data: { text: 'x'.repeat(dataCharacters) },
    },
    summary: 'listed',
  }),
});
const adder: Agent = {
  description: 'Adds.',
  instructions: 'Add.',
  tools: ['add', 'list'],
  ownTools: { add: addTool, list: listTool },
  maxSteps: 5,
  input: inputWithIntents(['add', 'list'], {
    LIST: intent({ tool: 'list', input: List, ask: ({ lines }) => `${lines} lines` }),
    ADD: intent({ tool: 'add', input: z.object({ a: z.number(), b: z.number() }), ask: ({ a, b }) => `${a} + ${b}` }),
  }),
  output: TaskResult,
  offlineCall(text) {
    const [, a, b] = /^(-?\d+) plus (\d+)$/.exec(text) ?? [];
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

test('a long answer is whole, with its data, and cites passages that the model would not be shown', async () => {
  const requests = harness.script([]);
  const list = { intent: 'LIST', lines: 20_000, dataCharacters: 90_000, clause: 6, isCited: true };
  const { result } = await ended({ input: parsed(list) });
  expect(result?.text).toBe(`${'- a line\n'.repeat(20_000)}The end [6].`);
  expect(result?.data).toEqual({ text: 'x'.repeat(90_000) });
  expect(result?.citations).toMatchObject([{ n: 6, chunkId: 'clause-6' }]);
  expect(requests).toEqual([]);
});

test('brackets in the answer of a tool that does not say what it cites are no citations', async () => {
  harness.script([]);
  const { result } = await ended({ input: parsed({ intent: 'LIST', lines: 1, clause: 2, isCited: false }) });
  expect(result).toMatchObject({ text: '- a line\nThe end [2].', citations: [] });
});

test('data of more than 200,000 characters is left out, and the answer says so', async () => {
  harness.script([]);
  const list = { intent: 'LIST', lines: 1, dataCharacters: 200_000, isCited: false };
  const { result } = await ended({ input: parsed(list) });
  expect(result?.text).toContain('The end.\n\nThe data of this answer is left out: it has 200011 characters');
  expect(result).not.toHaveProperty('data');
});

test('why a tool refuses a typed request is the answer, and no model makes another call', async () => {
  const requests = harness.script([]);
  const row = await ended({ input: parsed({ intent: 'ADD', a: -2, b: 3 }) });
  const message = expect.stringContaining('a is negative');
  expect(row.result).toMatchObject({ text: message, citations: [], data: { error: { message } } });
  expect(requests).toEqual([]);
});

test('a request in words is the model’s, also where the agent could read it', async () => {
  harness.script([{ calls: [{ tool: 'add', arguments: { a: 1, b: 1 } }] }, { text: ['Two.'] }]);
  expect((await ended({ input: parsed({ text: '2 plus 3' }) })).result).toMatchObject({ text: 'Two.' });
});

test('offline, the agent reads words that it knows, and says of others that it needs a model', async () => {
  const offline = { agent: 'assistant' };
  const known = await ended({ input: parsed({ text: '2 plus 3' }), ...offline });
  expect(known.result).toMatchObject({ text: '**5** by the list [1].', data: { sum: 5 } });
  const refused = await ended({ input: parsed({ text: '-2 plus 3' }), ...offline });
  expect(refused.result).toMatchObject({ data: { error: { message: expect.stringContaining('a is negative') } } });
  const other = await ended({ input: parsed({ text: 'What is the sum of two and three?' }), ...offline });
  expect(other.result?.text).toContain('I cannot understand this request without a model.');
});
