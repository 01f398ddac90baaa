import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { z } from 'zod';
import { parseInput, typedInputOf } from '../../../activities/delegation/typed-input.ts';
import { agents, type Agent } from '../../../agents/index.ts';
import { agentQueue, systemQueue } from '../../../contract/ids.ts';
import { TaskResult } from '../../../contract/task.ts';
import { delegate, outputsIn } from '../../support/tasks/delegation-harness.ts';
import { createTaskHarness, type TaskHarness } from '../../support/tasks/task-harness.ts';

const order = z.string().regex(/^A-\d$/, 'expected a number like A-1');
const agentThatTakes = (input: Agent['input'], tools: string[] = []): Agent => ({
  description: 'Reads orders.',
  instructions: 'Read.',
  tools,
  maxSteps: 5,
  input,
  output: TaskResult,
});
const words = agentThatTakes(z.strictObject({ text: z.string() }));
const boss = agentThatTakes(z.strictObject({ text: z.string() }), ['delegate']);
const typed = agentThatTakes(z.strictObject({ order }).transform((fields) => ({ text: `Read ${fields.order}` })));
const either = agentThatTakes(
  z
    .union([z.strictObject({ text: z.string() }), z.strictObject({ order })])
    .transform((asked) => ('text' in asked ? asked : { text: `Read ${asked.order}` })),
);
const both = agentThatTakes(
  z.strictObject({ text: z.string(), order }).transform((asked) => ({ text: `${asked.text} ${asked.order}` })),
);

let harness: TaskHarness;
beforeAll(async () => {
  harness = await createTaskHarness(
    {},
    { agents: { boss, typed }, queues: [agentQueue('boss'), agentQueue('typed'), systemQueue] },
  );
  harness.useBuiltInTool('delegate');
});
afterAll(() => harness.close());

test('an agent that takes fields has a schema, and one that takes words has none', () => {
  expect(typedInputOf(typed)).toMatchObject({ properties: { order: { type: 'string' } } });
  for (const agent of [either, both]) expect(JSON.stringify(typedInputOf(agent))).toContain('"order"');
  for (const agent of [words, boss, agents['knowledge'] as Agent, agents['alfred'] as Agent])
    expect(typedInputOf(agent)).toBeUndefined();
});

test.each<[string, Agent, Record<string, unknown> | undefined, string | undefined]>([
  ['words', words, undefined, 'Do it'],
  ['fields that it does not take', words, { order: 'A-1' }, undefined],
  ['fields alone', typed, { order: 'A-1' }, 'Read A-1'],
  ['words or fields: fields', either, { order: 'A-1' }, 'Read A-1'],
  ['words or fields: words', either, undefined, 'Do it'],
  ['words and fields', both, { order: 'A-1' }, 'Do it A-1'],
  ['fields that do not fit', typed, { order: 'B' }, undefined],
  ['no fields', typed, undefined, undefined],
])('%s', (_, agent, fields, text) => {
  expect(parseInput(agent, 'Do it', fields).data?.text).toBe(text);
});

test('a model sees the schema of an agent that takes fields, and delegates with them', async () => {
  const requests = harness.script([
    { calls: [delegate('typed', 'Read it', { input: { order: 'B' } })] },
    { calls: [delegate('typed', 'Read it', { input: { order: 'A-1' } })] },
    { text: ['It is shipped.'] },
    { text: ['Done.'] },
  ]);
  const { id } = await harness.start({ agent: 'boss' });
  await harness.followToEnd(id);
  expect((await harness.row(id)).status).toBe('completed');
  const [tool] = requests[0]?.tools ?? [];
  expect(JSON.stringify(tool?.inputSchema)).toMatch(/Reads orders\. Its `input` fits this JSON Schema: .*order/);
  expect(outputsIn(requests[1])[0]?.error).toMatch(
    /order: expected a number like A-1\. Give an `input` that fits this JSON Schema: \{.*"order"/,
  );
  expect(requests[2]?.messages).toMatchObject([{ role: 'user', text: 'Read A-1' }]);
  expect(outputsIn(requests[3])[0]).toMatchObject({ agent: 'typed', answer: 'It is shipped.' });
});
