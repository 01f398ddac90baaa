import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import {
  createDelegationHarness,
  dataOf,
  delegate,
  never,
  outputsIn,
  readOf,
  type DelegationHarness,
} from '../support/tasks/delegation-harness.ts';
import { scope } from '../support/tasks/task-harness.ts';
import { until } from '../support/until.ts';

let harness: DelegationHarness;
beforeAll(async () => {
  harness = await createDelegationHarness();
}, 120_000);
beforeEach(() => {
  harness.effects.length = 0;
});
afterAll(() => harness?.close());

describe('the budget', () => {
  test('of a child is a share; at its end it gives back what it has not spent', async () => {
    const requests = harness.play({
      boss: [{ calls: [delegate('left', 'A')] }, { text: ['Done.'] }],
      left: [readOf('left'), { text: ['never asked'] }],
    });
    // One call of the parent; of the three that are left the child gets one and the parent keeps two.
    const { id, row } = await harness.runToEnd({ budget: { maxModelCalls: 4 } });
    expect((await harness.child(id, 'left'))?.budget).toMatchObject({ maxModelCalls: 1, waitS: 0 });
    expect(outputsIn(requests.boss[1])).toMatchObject([{ agent: 'left', status: 'incomplete' }]);
    expect(row).toMatchObject({ status: 'completed', usageWithChildren: { modelCalls: 3 } });
  });

  test('of a child is what the model asks for, when there is so much', async () => {
    harness.play({
      boss: [{ calls: [delegate('left', 'A', { budget: { maxModelCalls: 7 } })] }, { text: ['Done.'] }],
      left: [{ text: ['A.'] }],
    });
    const { id } = await harness.runToEnd({ budget: { maxModelCalls: 10 } });
    expect((await harness.child(id, 'left'))?.budget).toMatchObject({ maxModelCalls: 7 });
  });

  test('with too little left for a share refuses the call, and the parent answers with what is left', async () => {
    const requests = harness.play({ boss: [{ calls: [delegate('left', 'A')] }, { text: ['Left is missing.'] }] });
    const { id, row } = await harness.runToEnd({ budget: { maxModelCalls: 2 } });
    expect(row).toMatchObject({ status: 'completed', result: { text: 'Left is missing.' } });
    expect(outputsIn(requests.boss[1])).toEqual([
      { error: expect.stringContaining('Left in your budget: 1 (model calls)') },
    ]);
    expect(await harness.childrenOf(id)).toEqual([]);
  });

  test('that one child takes whole is shared again when it has ended', async () => {
    const requests = harness.play({
      boss: [
        { calls: [delegate('left', 'A', { budget: { maxModelCalls: 4 } }), delegate('right', 'B')] },
        { text: ['Done.'] },
      ],
      left: [{ text: ['A.'] }],
      right: [{ text: ['B.'] }],
    });
    const { row } = await harness.runToEnd({ budget: { maxModelCalls: 5 } });
    expect(row.status).toBe('completed');
    expect(outputsIn(requests.boss[1])).toMatchObject([{ answer: 'A.' }, { answer: 'B.' }]);
  });

  test('of a child takes no grant: it is its parent’s', async () => {
    harness.play({ boss: [{ calls: [delegate('left', 'A')] }], left: [never] });
    const { id } = await harness.start({ budget: { maxModelCalls: 9 } });
    await until('the child runs', async () => (await harness.child(id, 'left'))?.status === 'running');
    const grant = harness.control.tasks.grantBudget(scope, (await harness.child(id, 'left'))?.id ?? '', {
      maxModelCalls: 99,
    });
    await expect(grant).rejects.toMatchObject({ code: 'budget_refused', message: expect.stringContaining(id) });
    await harness.control.tasks.cancel(scope, id, {});
  });
});

describe('a delegation is refused, and the model reads why,', () => {
  const refusalOf = async (...calls: ReturnType<typeof delegate>[]) => {
    const requests = harness.play({
      boss: [{ calls }, { text: ['Done.'] }],
      left: [{ text: ['A.'] }, { text: ['B.'] }],
    });
    const { id } = await harness.runToEnd();
    return { outputs: outputsIn(requests.boss[1]), children: await harness.childrenOf(id) };
  };

  test('to an agent that does not exist', async () => {
    const { outputs, children } = await refusalOf(delegate('phantom', 'A'));
    expect(outputs).toEqual([{ error: expect.stringMatching(/no agent "phantom".*left, right/) }]);
    expect(children).toEqual([]);
  });

  test('to the agent itself', async () => {
    expect((await refusalOf(delegate('boss', 'A'))).outputs).toEqual([{ error: expect.stringContaining('already') }]);
  });

  test('with the same request to the same agent', async () => {
    const { outputs, children } = await refusalOf(delegate('left', 'A'), delegate('left', 'A'));
    expect(outputs[1]).toEqual({ error: expect.stringContaining('exactly this') });
    expect(children).toHaveLength(1);
  });

  test('up its own chain', async () => {
    const requests = harness.play({
      boss: [{ calls: [delegate('left', 'A')] }, { text: ['Done.'] }],
      left: [{ calls: [delegate('boss', 'B')] }, { text: ['A.'] }],
    });
    await harness.runToEnd();
    expect(outputsIn(requests.left[1])).toEqual([{ error: expect.stringContaining('boss → left') }]);
  });
});

test('two wrong calls of one step are one mistake, and the same mistake again ends the task', async () => {
  const wrong = (...agents: string[]) => ({ calls: agents.map((agent) => delegate(agent, '')) });
  const requests = harness.play({ boss: [wrong('left', 'right'), { text: ['Done.'] }] });
  expect((await harness.runToEnd()).row.status).toBe('completed');
  expect(outputsIn(requests.boss[1])).toHaveLength(2);
  harness.play({ boss: [wrong('left', 'right'), wrong('left')] });
  expect((await harness.runToEnd()).row).toMatchObject({
    status: 'failed',
    error: { code: 'model_invalid_arguments' },
  });
});

test('deleting a task hides the tasks below it, and sharing it shares them', async () => {
  harness.play({ boss: [{ calls: [delegate('left', 'A')] }, { text: ['Done.'] }], left: [{ text: ['A.'] }] });
  const { id } = await harness.runToEnd();
  const childId = (await harness.child(id, 'left'))?.id ?? '';
  const reader = { ...scope, subject: 'ann' };
  expect(await harness.shares.findOwner(reader, { taskId: childId })).toBeUndefined();
  await harness.shares.setReaders(scope, { taskId: id }, ['subject:ann']);
  expect(await harness.shares.findOwner(reader, { taskId: childId })).toEqual(scope);
  await harness.erasure.deleteTask(scope, id);
  expect(await harness.tasks.get(scope, childId)).toBeUndefined();
  expect((await harness.erasure.listDue({ after: undefined, limit: 50 })).map(({ taskId }) => taskId)).toContain(
    childId,
  );
});

test('a plan is shown as an event, each time it is set', async () => {
  const plan = (status: string) => ({
    calls: [{ tool: 'set_plan', arguments: { items: [{ title: 'Ask left', agent: 'left', status }] } }],
  });
  harness.play({ boss: [plan('running'), plan('done'), plan('running'), { text: ['Done.'] }] });
  const { events } = await harness.runToEnd();
  expect(dataOf(events, 'plan.changed').map(({ items }) => items[0]?.status)).toEqual(['running', 'done', 'running']);
});

test('a question to the person ends the task with the question', async () => {
  harness.play({
    boss: [{ calls: [{ tool: 'ask_person', arguments: { question: 'Which state?', choices: ['Texas', 'Ohio'] } }] }],
  });
  const { row } = await harness.runToEnd();
  expect(row).toMatchObject({
    status: 'completed',
    result: { text: 'Which state?\n- Texas\n- Ohio', asks: { choices: ['Texas', 'Ohio'] } },
  });
});

test('a question of a child is marked as one, and is no answer', async () => {
  const requests = harness.play({
    boss: [{ calls: [delegate('left', 'A')] }, { text: ['Left needs the state.'] }],
    left: [{ calls: [{ tool: 'ask_person', arguments: { question: 'Which state?' } }] }],
  });
  await harness.runToEnd();
  const [output] = outputsIn(requests.boss[1]);
  expect(output).toMatchObject({ agent: 'left', status: 'asks', question: 'Which state?' });
  expect(output).not.toHaveProperty('answer');
});
