import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { ModelRequest } from '../../contract/ports/index.ts';
import { AlfredError } from '../../contract/errors.ts';
import { until } from '../support/until.ts';
import { createApiHarness, type ApiHarness } from './api-harness.ts';
import {
  outlineOf,
  blockedTurn,
  transcript,
  messageStates,
  openConversation,
  type TestConversation,
} from './open-conversation.ts';

let api: ApiHarness;
beforeAll(async () => {
  api = await createApiHarness();
});
afterAll(() => api?.close());

/** The first turn is blocked; every later one answers at once. */
let first: ReturnType<typeof blockedTurn>;
let requests: ModelRequest[];
let conversation: TestConversation;
beforeEach(async () => {
  first = blockedTurn('Half an');
  requests = api.script((_, call) => (call === 1 ? first.turn : { text: [`Answer ${call}.`] }));
  conversation = await openConversation(api);
});

const requestOf = (call: number) => outlineOf(requests[call - 1] as ModelRequest);
const statusOf = async (taskId: string) => (await api.http.get(`/v1/tasks/${taskId}`)).body.status as string;

describe('while a task runs, a message', () => {
  test('that enqueues waits for its turn, as do those after it', async () => {
    await conversation.say('one');
    const runningTaskId = await conversation.running();
    expect((await conversation.say('two')).body).toMatchObject({ outcome: 'queued', position: 2, runningTaskId });
    expect((await conversation.say('three', { onBusy: 'enqueue' })).body).toMatchObject({
      outcome: 'queued',
      position: 3,
    });
    expect(await conversation.row()).toMatchObject({ queued: 2, runningTaskId });
    first.release();
    expect(transcript(await conversation.quiet())).toEqual([
      'one',
      '> Half an',
      'two',
      '> Answer 2.',
      'three',
      '> Answer 3.',
    ]);
    expect(requestOf(3)).toEqual(['one', ['> Half an'], 'two', ['> Answer 2.'], 'three']);
  });

  test('that waits for its turn has a task that can be read, waited for and followed at once', async () => {
    await conversation.say('one');
    await conversation.running();
    const { body: receipt } = await conversation.say('two', { metadata: { team: 'finance' } });
    const self = receipt.links.task;
    const queued = await api.http.get(self);
    expect(queued.status).toBe(200);
    expect(queued.body).toMatchObject({
      id: receipt.taskId,
      status: 'queued',
      conversationId: receipt.conversationId,
      input: { text: 'two' },
      asked: 'two',
      metadata: { team: 'finance' },
      lastSeq: 0,
    });
    expect((await api.http.get(`${self}/citations`)).body).toEqual({ citations: [] });
    expect((await api.http.get(`${self}/events`, { accept: 'application/json' })).body).toEqual({
      events: [],
      lastSeq: 0,
      nextCursor: null,
    });
    const cancelled = await api.http.post(`${self}/cancel`, {});
    const undone = await api.http.post(`${self}/undo`, {});
    expect([cancelled, undone].map(({ status, body }) => [status, body.code])).toEqual([
      [409, 'task_queued'],
      [409, 'task_queued'],
    ]);
    const deleted = await api.http.request(self, { method: 'DELETE' });
    expect([deleted.status, deleted.body.code]).toEqual([409, 'task_in_conversation']);
    const ended = api.http.get(self, { prefer: 'wait=30' });
    const followed = fetch(`${api.url}${self}/events`, { headers: { accept: 'text/event-stream' } });
    first.release();
    expect((await ended).body).toMatchObject({ status: 'completed', result: { text: 'Answer 2.' } });
    expect(await (await followed).text()).toMatch(/task\.queued[^]*task\.completed/);
    await conversation.quiet();
  });

  test('that interrupts cancels the task, keeps its question, and passes over queued messages', async () => {
    const one = await conversation.say('one');
    const runningTaskId = await conversation.running();
    const two = await conversation.say('two');
    const three = await conversation.say('three', { onBusy: 'interrupt' });
    expect(three.body).toMatchObject({ outcome: 'interrupted', runningTaskId });
    expect(messageStates(await conversation.quiet())).toEqual([
      'one: started, done',
      'two: queued, passed_over',
      'three: interrupted, done',
    ]);
    expect(requestOf(2)).toEqual(['one', 'two', 'three']);
    expect(await statusOf(one.body.taskId)).toBe('cancelled');
    expect(await statusOf(two.body.taskId)).toBe('cancelled');
    expect(await statusOf(three.body.taskId)).toBe('completed');
    await expect(api.client.workflow.getHandle(`task/${two.body.taskId}`).describe()).rejects.toThrow();
  });

  test('that rolls back cancels the task and removes its question and queued messages from the context', async () => {
    first.release();
    await conversation.say('kept');
    await conversation.quiet();
    const second = blockedTurn('Never');
    requests = api.script((_, call) => (call === 1 ? second.turn : { text: [`Answer ${call}.`] }));
    await conversation.say('one');
    await conversation.running();
    const { body: two } = await conversation.say('two');
    expect((await conversation.say('three', { onBusy: 'rollback' })).body.outcome).toBe('rolled_back');
    expect((await api.http.post(`${two.links.task}/cancel`, {})).body).toMatchObject({ status: 'cancelled' });
    const refused = [
      await api.http.post(`${two.links.task}/budget`, { finish: true }),
      await api.http.post(`${two.links.task}/undo`, {}),
    ];
    expect(refused.map(({ body }) => body.code)).toEqual(['task_ended', 'nothing_to_undo']);
    expect((await fetch(`${api.url}${two.links.task}/events`)).status).toBe(204);
    expect(messageStates(await conversation.quiet())).toEqual([
      'kept: started, done',
      'one: started, rolled_back',
      'two: queued, rolled_back',
      'three: rolled_back, done',
    ]);
    expect(requestOf(2)).toEqual(['kept', ['> Half an'], 'three']);
    await conversation.say('four');
    await conversation.quiet();
    expect(requestOf(3)).toEqual(['kept', ['> Half an'], 'three', ['> Answer 2.'], 'four']);
  });

  test('that is rejected is refused with the id of the running task, also when it is sent again', async () => {
    await conversation.say('one');
    const taskId = await conversation.running();
    for (let times = 0; times < 2; times++)
      expect(await conversation.say('two', { id: 'm2', onBusy: 'reject' })).toMatchObject({
        status: 409,
        body: { code: 'conversation_busy', taskId },
      });
    first.release();
    expect(messageStates(await conversation.quiet())).toEqual(['one: started, done', 'two: rejected, rejected']);
    expect(requests).toHaveLength(1);
    expect((await conversation.say('two', { id: 'm2', onBusy: 'reject' })).status).toBe(409);
    expect((await conversation.say('again', { onBusy: 'reject' })).body.outcome).toBe('started');
    await conversation.quiet();
  });

  test('that steers goes to the task, and has a turn of its own when the task ends without reading it', async () => {
    await conversation.say('one');
    const taskId = await conversation.running();
    await conversation.say('three', { onBusy: 'enqueue' });
    expect((await conversation.say('two', { onBusy: 'steer' })).body).toMatchObject({ outcome: 'steered', taskId });
    first.release();
    expect(messageStates(await conversation.quiet())).toEqual([
      'one: started, done',
      'three: queued, done',
      'two: steered, done',
    ]);
    expect(requestOf(3)).toEqual(['one', ['> Half an'], 'three', ['> Answer 2.'], 'two']);
  });
});

test('a running task reads steering messages with the results of its step, and answers them too', async () => {
  const tool = blockedTurn('');
  api.tool('search_documents', async (_, { signal }) => {
    await tool.turn.until(signal);
    return { output: 'looked', summary: 'looked' };
  });
  requests = api.script((_, call) =>
    call === 1 ? { calls: [{ tool: 'search_documents', arguments: {} }] } : { text: ['Both.'] },
  );
  const steering = await openConversation(api, { onBusy: 'steer' });
  await steering.say('one');
  const taskId = await steering.running();
  await until('its tool runs', async () =>
    (await api.events.read(api.scope, taskId, 0, 100)).some(({ type }) => type === 'tool.started'),
  );
  for (const text of ['two', 'three'])
    expect((await steering.say(text)).body).toMatchObject({ outcome: 'steered', taskId, runningTaskId: taskId });
  tool.release();
  expect(messageStates(await steering.quiet())).toEqual([
    'one: started, done',
    'two: steered, steered',
    'three: steered, steered',
  ]);
  expect(requests.map(outlineOf)).toEqual([['one'], ['one', ['call search_documents'], ['looked'], 'two', 'three']]);
  const steered = (await steering.events()).filter(({ type }: { type: string }) => type === 'message.steered');
  expect(steered.map(({ data }: { data: unknown }) => data)).toMatchObject([
    { step: 2, text: 'two' },
    { step: 2, text: 'three' },
  ]);
  const { events } = await api.client.workflow.getHandle(`task/${taskId}`).fetchHistory();
  expect(JSON.stringify(events)).not.toContain('dHdv');
});

describe('the policy of a message', () => {
  test('is its own or the conversation’s, which can be changed', async () => {
    const strict = await openConversation(api, { onBusy: 'reject' });
    await strict.say('one');
    await strict.running();
    expect((await strict.say('two')).status).toBe(409);
    expect((await strict.say('three', { onBusy: 'enqueue' })).body.outcome).toBe('queued');
    await api.http.json('PATCH', strict.path, { onBusy: 'enqueue' });
    expect((await strict.say('four')).body.outcome).toBe('queued');
    first.release();
    await strict.quiet();
  });
});

describe('an interrupted task', () => {
  test('leaves no tool call without a result', async () => {
    const tool = blockedTurn('');
    api.tool('search_documents', async (input, { signal }) => {
      if ((input as { at: number }).at === 2) await tool.turn.until(signal);
      return { output: { found: input }, summary: 'looked' };
    });
    requests = api.script((_, call) =>
      call === 1
        ? {
            text: ['Let me look.'],
            calls: [1, 2].map((at) => ({ tool: 'search_documents', arguments: { at }, callId: `c${at}` })),
          }
        : { text: ['Yes.'] },
    );
    await conversation.say('one');
    const taskId = await conversation.running();
    await until('the first call has its result', async () =>
      (await api.events.read(api.scope, taskId, 0, 100)).some(({ type }) => type === 'tool.completed'),
    );
    await conversation.say('two', { onBusy: 'interrupt' });
    await conversation.quiet();
    expect(requestOf(2)).toEqual([
      'one',
      ['> Let me look.', 'call search_documents', 'call search_documents'],
      [{ found: { at: 1 } }, { error: expect.stringContaining('stopped before its end') }],
      'two',
    ]);
    const results = requests[1]?.messages[2];
    expect(results?.role === 'tool' && results.results.map(({ callId, isError }) => [callId, isError])).toEqual([
      ['c1', false],
      ['c2', true],
    ]);
  });

  test('that ended with a partial result leaves its tool results in the context', async () => {
    api.tool('search_documents', async () => ({ output: 'found', summary: 'looked' }));
    api.script([{ text: ['Hello.'] }, { calls: [{ tool: 'search_documents', arguments: {} }] }]);
    await conversation.say('hi');
    await conversation.quiet();
    await conversation.say('one', { budget: { maxModelCalls: 1, waitS: 0 } });
    // The previous answer is not reused as a partial result.
    expect(transcript(await conversation.quiet()).at(-1)).toBe('> The budget ended before there was an answer.');
    requests = api.script([{ text: ['Yes.'] }]);
    await conversation.say('two');
    await conversation.quiet();
    expect(requestOf(1)).toEqual(['hi', ['> Hello.'], 'one', ['call search_documents'], ['found'], 'two']);
  });
});

test('a failed task leaves its question in the context', async () => {
  api.script([{ error: new AlfredError('model_refused', 'no answer') }]);
  await conversation.say('one');
  await conversation.quiet();
  requests = api.script([{ text: ['Yes.'] }]);
  await conversation.say('two');
  expect(transcript(await conversation.quiet())).toEqual(['one', 'two', '> Yes.']);
  expect(requestOf(1)).toEqual(['one', 'two']);
});
