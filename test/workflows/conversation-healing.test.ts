import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { conversationWorkflowId, taskWorkflowId } from '../../contract/ids.ts';
import { createApiHarness, type ApiHarness } from '../api/api-harness.ts';
import { heard, held, script, states, talkTo } from '../api/open-conversation.ts';
import { until } from '../support/until.ts';

let api: ApiHarness;
beforeAll(async () => void (api = await createApiHarness({ ALFRED_SWEEP_INTERVAL_S: '1' })));
afterAll(() => api?.close());

const handleOf = (talk: { id: string }) => api.client.workflow.getHandle(conversationWorkflowId(talk.id));
/** A conversation whose first task is held, and a second message that waits. */
async function busy() {
  const first = held('One.');
  const requests = api.script((_, call) => (call === 1 ? first.turn : { text: ['Yes.'] }));
  const talk = await talkTo(api);
  expect(await talk.say('one')).toMatchObject({ status: 202, body: { outcome: 'started' } });
  const taskId = await talk.running();
  expect((await talk.say('two')).body.outcome).toBe('queued');
  return { talk, taskId, requests, release: first.release };
}

test('a conversation that somebody terminated goes on with the next message, and finds its running task', async () => {
  const { talk, requests, release } = await busy();
  await handleOf(talk).terminate();
  expect((await talk.say('three')).body).toMatchObject({ outcome: 'queued', position: 3 });
  release();
  expect(script(await talk.quiet())).toEqual(['one', '> One.', 'two', '> Yes.', 'three', '> Yes.']);
  expect(requests.map(heard).at(-1)).toEqual(['one', ['> One.'], 'two', ['> Yes.'], 'three']);
});

test('one that nobody speaks to is woken by the sweep', async () => {
  const { talk, release } = await busy();
  await handleOf(talk).terminate();
  release();
  expect(script(await talk.quiet())).toEqual(['one', '> One.', 'two', '> Yes.']);
});

test('a cancellation that was decided before the end of its workflow is carried out after it', async () => {
  const { talk, taskId } = await busy();
  await handleOf(talk).terminate();
  await api.tasks.recordCancelRequest(api.scope, taskId, { by: 'local' });
  await talk.say('three');
  expect(script(await talk.quiet())).toEqual(['one', 'two', '> Yes.', 'three', '> Yes.']);
});

test('a task that somebody terminated does not keep the others waiting', async () => {
  const { talk, taskId } = await busy();
  await api.client.workflow.getHandle(taskWorkflowId(taskId)).terminate();
  expect(script(await talk.quiet())).toEqual(['one', 'two', '> Yes.']);
  expect((await api.http.get(`/v1/tasks/${taskId}`)).body).toMatchObject({
    status: 'failed',
    error: { code: 'terminated' },
  });
});

test('a restart of the workers in the middle changes nothing', async () => {
  const { talk } = await busy();
  await api.restartWorkers();
  api.script(() => ({ text: ['Yes.'] }));
  expect((await talk.say('three')).body.outcome).toBe('queued');
  expect(states(await talk.quiet())).toEqual(['one: started, done', 'two: queued, done', 'three: queued, done']);
});

test('a message that nobody decides about is answered with 503, and its repeat with what was decided', async () => {
  api.script(() => ({ text: ['Yes.'] }));
  const talk = await talkTo(api);
  await api.restartWorkers(async () => {
    expect(await talk.say('one', { id: 'm1' })).toMatchObject({
      status: 503,
      body: { code: 'temporal_unavailable' },
    });
  });
  expect(await talk.say('one', { id: 'm1' })).toMatchObject({ status: 202, body: { position: 1 } });
  expect(script(await talk.quiet())).toEqual(['one', '> Yes.']);
});

test('messages that come just while a conversation ends start it again', async () => {
  api.script(() => ({ text: ['Yes.'] }));
  const talk = await talkTo(api);
  const runs = new Set<string>();
  for (let n = 1; n <= 40; n++) {
    // A busy machine may answer 503; the repeat is the same message.
    await until('it is taken', async () => (await talk.say(`m${n}`, { id: `m${n}` })).status === 202);
    // Every other time it has just come to its end.
    if (n % 2 === 0) await until('the task ended', async () => (await talk.row()).runningTaskId === null);
    runs.add((await handleOf(talk).describe()).runId);
  }
  await talk.quiet();
  // On a busy machine none of them may have found it ended: this one does.
  await until('it has ended', async () => (await handleOf(talk).describe()).status.name === 'COMPLETED');
  await until('it is taken', async () => (await talk.say('last', { id: 'last' })).status === 202);
  runs.add((await handleOf(talk).describe()).runId);
  const all = await talk.quiet();
  expect(all.filter(({ state, role }) => role === 'user' && state === 'done')).toHaveLength(41);
  expect(runs.size).toBeGreaterThan(1);
}, 120_000);

test('a conversation with a long history begins the next turn in a new run', async () => {
  const first = held('One.');
  api.script((_, call) => (call === 1 ? first.turn : { text: ['Yes.'] }));
  const talk = await talkTo(api);
  await talk.say('one');
  await talk.running();
  const handle = handleOf(talk);
  const { runId } = await handle.describe();
  await talk.say('two');
  for (let hundred = 0; hundred < 21; hundred++)
    await Promise.all(Array.from({ length: 100 }, () => handle.signal('wake')));
  first.release();
  expect(script(await talk.quiet())).toEqual(['one', '> One.', 'two', '> Yes.']);
  expect((await handle.describe()).runId).not.toBe(runId);
}, 60_000);
