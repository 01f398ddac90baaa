import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { until } from '../support/until.ts';
import { createApiHarness, startApi, type ApiHarness } from './api-harness.ts';
import { eventsIn, type AnyJson } from './checked-client.ts';
import { blockedTurn, openConversation, type TestConversation } from './open-conversation.ts';

let api: ApiHarness;
beforeAll(async () => {
  api = await createApiHarness();
});
afterAll(() => api?.close());

const openStreams = async () => (await api.metrics.eventStreams.get()).values[0]?.value ?? 0;
/** Follows a conversation's event stream until `isLast`, then disconnects. @returns the events up to that one */
async function follow(
  url: string,
  conversation: TestConversation,
  after: number,
  isLast: (event: AnyJson) => boolean,
): Promise<AnyJson[]> {
  const connection = new AbortController();
  const response = await fetch(`${url}${conversation.path}/events`, {
    headers: { 'last-event-id': String(after) },
    signal: connection.signal,
  });
  let text = '';
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  while (true) {
    const frames = eventsIn(text.slice(0, text.lastIndexOf('\n\n') + 2));
    const last = frames.findIndex(({ data }) => isLast(data));
    if (last >= 0) {
      connection.abort();
      return frames.slice(0, last + 1).map(({ data }) => data);
    }
    const { value, done } = (await reader?.read()) ?? { done: true };
    if (done) throw new Error(`the stream ended: ${text}`);
    text += value;
  }
}
const types = (events: AnyJson[]) => events.map(({ type }) => type).filter((type) => type !== 'text.delta');

describe('a conversation’s events', () => {
  test('include those of its tasks, with one sequence of numbers', async () => {
    api.script(() => ({ text: ['Yes.'] }));
    const conversation = await openConversation(api);
    const sent = await conversation.say('one', { id: 'm1' });
    await conversation.quiet();
    const all = await conversation.events();
    expect(types(all)).toEqual([
      'conversation.message',
      'task.queued',
      'conversation.turn',
      'task.started',
      'model.started',
      'model.completed',
      'task.completed',
      'conversation.turn',
    ]);
    expect(all.map(({ seq }) => seq)).toEqual(all.map((_, i) => i + 1));
    const { taskId } = sent.body;
    expect(all[0].data).toEqual({
      messageId: 'm1',
      position: 1,
      text: 'one',
      outcome: 'started',
      taskId,
      runningTaskId: null,
    });
    expect(all.at(-1).data).toEqual({ messageId: 'm1', taskId, state: 'done' });
    const ofTask = all.filter((event) => event.taskId !== undefined);
    expect(ofTask.map(({ taskSeq: seq, at, type, data }) => ({ seq, at, type, data }))).toEqual(
      await api.events.read(api.scope, taskId, 0, 100),
    );
    expect((await conversation.row()).lastSeq).toBe(all.length);
  });

  test('are followed over several tasks, from any event, on any pod, without gap or duplicate', async () => {
    const first = blockedTurn('One.');
    api.script((_, call) => (call === 1 ? first.turn : { text: ['Yes.'] }));
    const conversation = await openConversation(api);
    await conversation.say('one');
    await conversation.running();
    const isLast = ({ type, data }: AnyJson) =>
      type === 'conversation.turn' && data.messageId === 'last' && data.state === 'done';
    const pod = await startApi(api);
    const live = [api.url, pod.url].map((url) => follow(url, conversation, 0, isLast));
    await until('both streams are open', async () => (await openStreams()) === 2);
    await conversation.say('two');
    await conversation.say('three', { id: 'last' });
    first.release();
    await conversation.quiet();
    const all = await conversation.events();
    for (const seen of await Promise.all(live)) expect(seen).toEqual(all);
    for (const cut of [1, 5, all.length - 1])
      expect(await follow(pod.url, conversation, cut, isLast)).toEqual(all.slice(cut));
    await until('no stream is open', async () => (await openStreams()) === 0);
    // After an aborted request, fetch opens spare connections, which would keep the server open.
    pod.app.server.closeAllConnections();
    await pod.app.close();
  });

  test('report changes, stops and dropped messages', async () => {
    const first = blockedTurn('One.');
    api.script((_, call) => (call === 1 ? first.turn : { text: ['Yes.'] }));
    const conversation = await openConversation(api);
    await conversation.say('one', { id: 'm1' });
    const taskId = await conversation.running();
    await conversation.say('two', { id: 'm2' });
    await api.http.json('PATCH', conversation.path, { title: 'New', onBusy: 'reject' });
    // The same values again are no change.
    await api.http.json('PATCH', conversation.path, { title: 'New' });
    await api.http.post(`${conversation.path}/stop`, {});
    await conversation.quiet();
    const changes = (await conversation.events()).filter(({ type }) => /changed|stopped/.test(type));
    expect(changes.map(({ data }) => data)).toEqual([
      { title: 'New', archived: false, onBusy: 'reject', agent: 'knowledge' },
      { taskId, dropped: ['m2'] },
    ]);
  });

  test('stay open while nothing happens, with heartbeat comments, and end when the conversation is deleted', async () => {
    const pod = await startApi(api, { heartbeatMs: 20 });
    const conversation = await openConversation(api);
    const response = await fetch(`${pod.url}${conversation.path}/events`, { signal: AbortSignal.timeout(20_000) });
    let text = '';
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    while (!text.includes(': still here')) text += (await reader?.read())?.value ?? '';
    await api.http.request(conversation.path, { method: 'DELETE' });
    let next = await reader?.read();
    while (next && !next.done) {
      text += next.value;
      next = await reader?.read();
    }
    expect(eventsIn(text).at(-1)?.event).toBe('conversation.deleted');
    await until('no stream is open', async () => (await openStreams()) === 0);
    await pod.app.close();
  });
});
