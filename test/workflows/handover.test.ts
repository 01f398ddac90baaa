import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { conversationWorkflowId } from '../../contract/ids.ts';
import type { ModelRequest } from '../../contract/ports/index.ts';
import { person } from '../support/principals.ts';
import { createDelegationHarness, outputsIn, type DelegationHarness } from '../support/tasks/delegation-harness.ts';
import { scope } from '../support/tasks/task-harness.ts';
import { until } from '../support/until.ts';

let harness: DelegationHarness;
beforeAll(async () => {
  harness = await createDelegationHarness();
}, 120_000);
afterAll(() => harness?.close());

const handOver = (agent: string) => ({
  calls: [{ tool: 'hand_over', arguments: { agent, message: 'Left does this.' } }],
});
const agentsNamedBy = (request: ModelRequest | undefined) => {
  const tool = request?.tools.find(({ name }) => name === 'hand_over');
  const { properties } = (tool?.inputSchema ?? {}) as { properties?: { agent: { anyOf: { const: string }[] } } };
  return properties?.agent.anyOf.map((one) => one.const);
};

async function converse() {
  const { id } = await harness.conversationRows.create(scope, { agent: 'boss' }, { onBusy: 'enqueue' });
  const say = (text: string) => harness.messages.submit(person('local'), id, { id: crypto.randomUUID(), text });
  const ended = (taskId: string | null) =>
    until('it has ended', () => harness.row(taskId ?? ''), { accept: ({ endedAt }) => endedAt !== null });
  return { id, say, ended };
}

test('the next message is answered by the agent that took over, which reads the whole conversation', async () => {
  const go = Promise.withResolvers<void>();
  const requests = harness.play({
    boss: [{ ...handOver('left'), until: () => go.promise }, { text: ['Back.'] }],
    left: [{ text: ['I am left.'] }, { text: ['Still left.'] }],
  });
  const { id, say, ended } = await converse();
  const first = await say('I want left.');
  // It waits for its turn before anything was handed over.
  const second = await say('Who is there?');
  expect(second.outcome).toBe('queued');
  go.resolve();
  const text = 'Left does this.\n\nFrom your next message on, left answers here.';
  expect(await ended(first.taskId)).toMatchObject({
    agent: 'boss',
    status: 'completed',
    result: { text, handsOver: { agent: 'left' } },
  });
  const answered = await until('it is answered', () => harness.tasks.get(scope, second.taskId ?? ''), {
    accept: ({ endedAt }) => endedAt !== null,
  });
  expect(answered).toMatchObject({ agent: 'left', status: 'completed', result: { text: 'I am left.' } });
  expect(requests.left[0]?.messages.map((message) => (message.role === 'user' ? message.text : message.role))).toEqual([
    'I want left.',
    'assistant',
    'Who is there?',
  ]);
  expect(await harness.conversationRows.get(scope, id)).toMatchObject({ agent: 'left' });
  const events = await harness.conversationEvents.read(scope, id, 0, 100);
  expect(events.filter(({ type }) => type === 'conversation.changed')).toMatchObject([{ data: { agent: 'left' } }]);

  // Also in a workflow of the conversation that begins afterwards, on the queue of the new agent.
  await harness.client.workflow.getHandle(conversationWorkflowId(id)).result();
  const third = await say('And now?');
  expect(await ended(third.taskId)).toMatchObject({ agent: 'left', result: { text: 'Still left.' } });
  // A person gives it back.
  await harness.conversationRows.change(scope, id, { agent: 'boss' });
  const fourth = await say('Boss?');
  expect(await ended(fourth.taskId)).toMatchObject({ agent: 'boss', result: { text: 'Back.' } });
});

test('a turn after a handover has the settings of the agent that took over', async () => {
  const limits = (maxModelCalls: number) => ({ settings: { budget: { maxModelCalls } }, note: 'test' });
  await harness.tenantAgents.set(scope, 'boss', limits(30));
  await harness.tenantAgents.set(scope, 'boss', limits(40));
  await harness.tenantAgents.set(scope, 'left', limits(7));
  harness.play({ boss: [handOver('left')], left: [{ text: ['I am left.'] }] });
  const { say, ended } = await converse();
  expect(await ended((await say('I want left.')).taskId)).toMatchObject({ agent: 'boss', settingsVersion: 2 });
  expect(await ended((await say('Left?')).taskId)).toMatchObject({
    agent: 'left',
    settingsVersion: 1,
    budget: { maxModelCalls: 7 },
  });
});

test('only to an agent that the person may use, and the model reads which', async () => {
  const requests = harness.play({ boss: [handOver('phantom'), { text: ['I stay.'] }] });
  const { id, say, ended } = await converse();
  expect(await ended((await say('Away.')).taskId)).toMatchObject({ result: { text: 'I stay.' } });
  expect(agentsNamedBy(requests.boss[0])).toEqual(['left', 'right']);
  expect(outputsIn(requests.boss[1])).toEqual([{ error: expect.stringContaining('Nothing was handed over') }]);
  expect(await harness.conversationRows.get(scope, id)).toMatchObject({ agent: 'boss' });
});

test('a task outside of a conversation hands nothing over: nothing comes after it', async () => {
  const requests = harness.play({ boss: [handOver('left'), { text: ['Done.'] }] });
  const { row } = await harness.runToEnd();
  expect(row.result).toMatchObject({ text: 'Done.' });
  expect(agentsNamedBy(requests.boss[0])).toBeUndefined();
  expect(outputsIn(requests.boss[1])).toEqual([{ error: expect.stringContaining('Nothing was handed over') }]);
});
