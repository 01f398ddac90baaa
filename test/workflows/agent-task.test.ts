import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { WorkflowFailedError } from '@temporalio/client';
import { AlfredError } from '../../contract/errors.ts';
import { createTaskHarness, scope, type TaskHarness } from '../support/tasks/task-harness.ts';
import { until } from '../support/until.ts';

let harness: TaskHarness;
beforeAll(async () => {
  harness = await createTaskHarness();
});
afterAll(() => harness?.close());

const types = (events: { type: string }[]) => events.map(({ type }) => type);

describe('agentTaskWorkflow', () => {
  test('an answer without tools completes the task with its text', async () => {
    harness.script([{ text: ['Forty-', 'two.'] }]);
    const { id } = await harness.start();
    const events = await harness.followToEnd(id);
    expect(types(events).filter((type) => type !== 'text.delta')).toEqual([
      'task.queued',
      'task.started',
      'model.started',
      'model.completed',
      'task.completed',
    ]);
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, i) => i + 1));
    expect(await harness.row(id)).toMatchObject({
      status: 'completed',
      result: { text: 'Forty-two.', citations: [] },
      model: 'scripted:test',
      usage: { modelCalls: 1, inputTokens: 10, outputTokens: 5 },
    });
  });

  test('tool calls of one step run in parallel, and their results reach the next model call', async () => {
    let together = 0;
    let maxTogether = 0;
    harness.tool('look', async (input) => {
      maxTogether = Math.max(maxTogether, ++together);
      if (together < 2) await new Promise((resolve) => setTimeout(resolve, 300));
      together--;
      return { output: { saw: input }, summary: 'looked' };
    });
    const requests = harness.script([
      {
        calls: [
          { tool: 'look', arguments: { at: 1 } },
          { tool: 'look', arguments: { at: 2 } },
        ],
      },
      { text: ['Done.'] },
    ]);
    const { id } = await harness.start();
    await harness.followToEnd(id);
    expect(maxTogether).toBe(2);
    expect(requests[1]?.messages.at(-1)).toMatchObject({
      role: 'tool',
      results: [{ output: { saw: { at: 1 } } }, { output: { saw: { at: 2 } } }],
    });
  });

  test('an unknown tool and a refused input are reported to the model and do not fail the task', async () => {
    harness.tool('picky', async () => {
      throw new AlfredError('invalid_request', 'query is missing');
    });
    const requests = harness.script([
      {
        calls: [
          { tool: 'nope', arguments: {} },
          { tool: 'picky', arguments: {} },
        ],
      },
      { text: ['Sorry.'] },
    ]);
    const { id } = await harness.start();
    await harness.followToEnd(id);
    expect((await harness.row(id)).status).toBe('completed');
    expect(requests[1]?.messages.at(-1)).toMatchObject({
      results: [
        { isError: true, output: { error: 'There is no tool "nope".' } },
        { isError: true, output: { error: 'query is missing' } },
      ],
    });
  });

  test('a failed model call is retried, and the deltas of the first attempt do not count', async () => {
    harness.script((_, call) =>
      call === 1
        ? { text: ['Half an ans'], error: new AlfredError('model_unavailable', 'broke off') }
        : { text: ['Whole.'] },
    );
    const { id } = await harness.start();
    const events = await harness.followToEnd(id);
    expect(events.find(({ type }) => type === 'model.failed')).toMatchObject({
      data: { attempt: 1, willRetry: true, error: { code: 'model_unavailable' } },
    });
    const deltas = events.flatMap((event) =>
      event.type === 'text.delta' && event.data.attempt === 2 ? [event.data.text] : [],
    );
    expect(deltas.join('')).toBe('Whole.');
    // The failed attempt was charged too.
    expect((await harness.row(id)).usage).toMatchObject({ modelCalls: 2, inputTokens: 20 });
  });

  test('an empty answer is retried', async () => {
    harness.script((_, call) => (call === 1 ? { text: [' '] } : { text: ['Something.'] }));
    const { id } = await harness.start();
    await harness.followToEnd(id);
    expect((await harness.row(id)).result?.text).toBe('Something.');
  });

  test('a final provider error fails the task at once with a code and a sentence', async () => {
    const requests = harness.script([{ error: new AlfredError('model_refused', 'It declined.') }]);
    const { id, handle } = await harness.start();
    await expect(handle.result()).rejects.toBeInstanceOf(WorkflowFailedError);
    expect(requests).toHaveLength(1);
    expect(await harness.row(id)).toMatchObject({
      status: 'failed',
      error: { code: 'model_refused', message: 'It declined.' },
    });
    expect((await harness.events.read(scope, id, 0, 100)).at(-1)).toMatchObject({
      type: 'task.failed',
      data: { error: { code: 'model_refused' } },
    });
    expect(await harness.metrics.registry.getSingleMetricAsString('task_failures_total')).toContain(
      'code="model_refused"',
    );
  });

  test('the text of an unexpected error stays out of history', async () => {
    harness.script(() => ({ error: new Error('row of Jane Doe broke') }));
    const { id, handle } = await harness.start();
    await expect(handle.result()).rejects.toBeInstanceOf(WorkflowFailedError);
    const history = JSON.stringify(await handle.fetchHistory());
    expect(history).not.toContain('Jane');
    // A stack would contain file paths of this machine.
    expect(history).not.toContain('.ts:');
    expect((await harness.row(id)).error?.code).toBe('internal');
  });

  test('cancelling during a model call ends the task at once and stops the call', async () => {
    let stopped = false;
    harness.script([
      {
        text: ['Thinking…'],
        until: (signal) =>
          new Promise((_, reject) =>
            signal.addEventListener('abort', () => ((stopped = true), reject(signal.reason as Error))),
          ),
      },
    ]);
    const { id, handle } = await harness.start();
    for await (const page of harness.events.follow(scope, id, 0, AbortSignal.timeout(20_000)))
      if (page.some(({ type }) => type === 'text.delta')) break;
    await handle.cancel();
    const events = await harness.followToEnd(id);
    // The interrupted call is recorded, with a name of its own, before the end says what the task used.
    expect(events.at(-2)).toMatchObject({
      type: 'model.failed',
      data: { error: { code: 'cancelled' }, willRetry: false },
    });
    expect(events.at(-1)).toMatchObject({
      type: 'task.cancelled',
      data: { usage: { modelCalls: 1, inputTokens: 10 } },
    });
    expect(await harness.row(id)).toMatchObject({ status: 'cancelled', error: null });
    await expect(handle.result()).rejects.toThrow();
    await until('the model call is stopped', () => stopped);
    expect(stopped).toBe(true);
    // The call learns of it in the workflow task that sees the cancellation, and before the end of the task waits.
    const recorded = (await handle.fetchHistory()).events ?? [];
    const cancel = recorded.find((event) => event.activityTaskCancelRequestedEventAttributes);
    const sentWith = cancel?.activityTaskCancelRequestedEventAttributes?.workflowTaskCompletedEventId;
    expect(
      recorded.some(
        (event) => String(event.timerStartedEventAttributes?.workflowTaskCompletedEventId) === String(sentWith),
      ),
    ).toBe(true);
  });

  test('Temporal’s timeline names step, model and tool of each activity, and the page leads to the task', async () => {
    harness.tool('look', async () => ({ output: 'seen', summary: 'looked' }));
    harness.script([{ calls: [{ tool: 'look', arguments: {} }] }, { text: ['Done.'] }]);
    const { id, handle } = await harness.start();
    await harness.followToEnd(id);
    const { events } = await handle.fetchHistory();
    const summaries = (events ?? []).flatMap(({ activityTaskScheduledEventAttributes, userMetadata }) =>
      activityTaskScheduledEventAttributes ? [userMetadata?.summary?.data?.toString()] : [],
    );
    expect(summaries).toEqual(['"step 1 · scripted:test"', '"step 1 · look"', '"step 2 · scripted:test"']);
    const { staticDetails } = await handle.describe();
    expect(await staticDetails()).toBe(`Question, answer and steps: \`alfred tasks show ${id}\``);
  });

  test('history and search attributes carry no content', async () => {
    harness.script([{ text: ['secret answer'] }]);
    const { handle } = await harness.start({ input: { text: 'secret question' } });
    await handle.result();
    const decoded = JSON.stringify(await handle.fetchHistory(), (_, value: unknown) =>
      value instanceof Uint8Array ? Buffer.from(value).toString() : value,
    );
    expect(decoded).not.toContain('secret');
    const { searchAttributes } = await handle.describe();
    expect(searchAttributes).toMatchObject({
      AlfredStatus: ['completed'],
      AlfredModel: ['scripted:test'],
      AlfredTokens: [15],
    });
  });
});
