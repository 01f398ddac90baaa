import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { conversationWorkflowId, taskWorkflowId } from '../../contract/ids.ts';
import { createApiHarness, type ApiHarness } from '../api/api-harness.ts';
import { outlineOf, blockedTurn, transcript, messageStates, openConversation } from '../api/open-conversation.ts';
import { until } from '../support/until.ts';

let api: ApiHarness;
beforeAll(async () => {
  api = await createApiHarness({ ALFRED_SWEEP_INTERVAL_S: '1' });
});
afterAll(() => api?.close());

const handleOf = (conversation: { id: string }) =>
  api.client.workflow.getHandle(conversationWorkflowId(conversation.id));
/** A conversation whose first task is blocked, with a second message in the queue. */
async function busy() {
  const first = blockedTurn('One.');
  const requests = api.script((_, call) => (call === 1 ? first.turn : { text: ['Yes.'] }));
  const conversation = await openConversation(api);
  expect(await conversation.say('one')).toMatchObject({ status: 202, body: { outcome: 'started' } });
  const taskId = await conversation.running();
  expect((await conversation.say('two')).body.outcome).toBe('queued');
  return { conversation, taskId, requests, release: first.release };
}

test('a terminated conversation continues with the next message, and finds its running task', async () => {
  const { conversation, requests, release } = await busy();
  await handleOf(conversation).terminate();
  expect((await conversation.say('three')).body).toMatchObject({ outcome: 'queued', position: 3 });
  release();
  expect(transcript(await conversation.quiet())).toEqual(['one', '> One.', 'two', '> Yes.', 'three', '> Yes.']);
  expect(requests.map(outlineOf).at(-1)).toEqual(['one', ['> One.'], 'two', ['> Yes.'], 'three']);
});

test('the sweep wakes a terminated conversation that gets no message', async () => {
  const { conversation, release } = await busy();
  await handleOf(conversation).terminate();
  release();
  expect(transcript(await conversation.quiet())).toEqual(['one', '> One.', 'two', '> Yes.']);
});

test('a cancellation that was requested before its conversation was terminated is carried out afterwards', async () => {
  const { conversation, taskId } = await busy();
  await handleOf(conversation).terminate();
  await api.tasks.recordCancelRequest(api.scope, taskId, { by: 'local' });
  await conversation.say('three');
  expect(transcript(await conversation.quiet())).toEqual(['one', 'two', '> Yes.', 'three', '> Yes.']);
});

test('a terminated task does not block the next messages', async () => {
  const { conversation, taskId } = await busy();
  await api.client.workflow.getHandle(taskWorkflowId(taskId)).terminate();
  expect(transcript(await conversation.quiet())).toEqual(['one', 'two', '> Yes.']);
  expect((await api.http.get(`/v1/tasks/${taskId}`)).body).toMatchObject({
    status: 'failed',
    error: { code: 'terminated' },
  });
});

test('a restart of the workers during a task changes nothing', async () => {
  const { conversation } = await busy();
  await api.restartWorkers();
  api.script(() => ({ text: ['Yes.'] }));
  expect((await conversation.say('three')).body.outcome).toBe('queued');
  expect(messageStates(await conversation.quiet())).toEqual([
    'one: started, done',
    'two: queued, done',
    'three: queued, done',
  ]);
});

test('a message without a decision in time gets 503, and its repeat gets the decision', async () => {
  api.script(() => ({ text: ['Yes.'] }));
  const conversation = await openConversation(api);
  await api.restartWorkers(async () => {
    expect(await conversation.say('one', { id: 'm1' })).toMatchObject({
      status: 503,
      body: { code: 'temporal_unavailable' },
    });
  });
  expect(await conversation.say('one', { id: 'm1' })).toMatchObject({ status: 202, body: { position: 1 } });
  expect(transcript(await conversation.quiet())).toEqual(['one', '> Yes.']);
});

test('messages that arrive while a conversation ends start it again', async () => {
  api.script(() => ({ text: ['Yes.'] }));
  const conversation = await openConversation(api);
  const runs = new Set<string>();
  for (let n = 1; n <= 40; n++) {
    // A busy machine may answer 503; the repeat is the same message.
    await until('it is taken', async () => (await conversation.say(`m${n}`, { id: `m${n}` })).status === 202);
    // Every other message is sent right after the task has ended.
    if (n % 2 === 0) await until('the task ended', async () => (await conversation.row()).runningTaskId === null);
    runs.add((await handleOf(conversation).describe()).runId);
  }
  await conversation.quiet();
  // On a busy machine all of them may have arrived before its end. This one arrives after it.
  await until('it has ended', async () => (await handleOf(conversation).describe()).status.name === 'COMPLETED');
  await until('it is taken', async () => (await conversation.say('last', { id: 'last' })).status === 202);
  runs.add((await handleOf(conversation).describe()).runId);
  const all = await conversation.quiet();
  expect(all.filter(({ state, role }) => role === 'user' && state === 'done')).toHaveLength(41);
  expect(runs.size).toBeGreaterThan(1);
});

test('a conversation with a long history begins the next turn in a new run', async () => {
  const first = blockedTurn('One.');
  api.script((_, call) => (call === 1 ? first.turn : { text: ['Yes.'] }));
  const conversation = await openConversation(api);
  await conversation.say('one');
  await conversation.running();
  const handle = handleOf(conversation);
  const { runId } = await handle.describe();
  await conversation.say('two');
  for (let hundred = 0; hundred < 21; hundred++)
    await Promise.all(Array.from({ length: 100 }, () => handle.signal('wake')));
  first.release();
  expect(transcript(await conversation.quiet())).toEqual(['one', '> One.', 'two', '> Yes.']);
  expect((await handle.describe()).runId).not.toBe(runId);
});
