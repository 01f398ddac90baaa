import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { AlfredError } from '../../contract/errors.ts';
import { bookingTool } from '../support/bookings/booking-tool.ts';
import { until } from '../support/until.ts';
import { createApiHarness, type ApiHarness } from './api-harness.ts';
import type { AnyJson } from './checked-client.ts';
import { blockedTurn, openConversation } from './open-conversation.ts';

let api: ApiHarness;
let server: Server;
/** The requests to the booking server, in order. */
const requests: string[] = [];
beforeAll(async () => {
  server = createServer((request, response) => {
    requests.push(
      `${request.method} ${decodeURIComponent(request.url ?? '')
        .split('/')
        .slice(-2)
        .join('/')}`,
    );
    request.resume().on('end', () => response.end());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  api = await createApiHarness();
  const book = bookingTool(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  api.tool('book', (...call) => book.run(...call), book);
  api.tool(
    'notify',
    async (_, { beforeSend }) => {
      await beforeSend();
      return { output: {}, summary: 'notified everyone' };
    },
    { effect: 'write' },
  );
});
afterAll(async () => {
  await api?.close();
  server?.close();
  server?.closeAllConnections();
});

/** A model that books twice, notifies once, then never ends its turn. */
const scriptBookings = () =>
  api.script((_, call) =>
    call > 2
      ? blockedTurn('Thinking').turn
      : {
          calls:
            call === 1
              ? [{ tool: 'book', arguments: { what: 'a flight', isDear: true }, callId: 'flight' }]
              : [
                  { tool: 'book', arguments: { what: 'a room', isDear: false }, callId: 'room' },
                  { tool: 'notify', arguments: {}, callId: 'notify' },
                ],
        },
  );
const effectsDone = (id: string) =>
  until('all three effects are done', async () => {
    const { body } = await api.http.get(`/v1/tasks/${id}`);
    return body.effects.filter(({ state }: { state: string }) => state === 'done').length === 3;
  });

test('cancel with undo undoes the newest effect first, and reports what cannot be undone', async () => {
  scriptBookings();
  const { id } = (await api.http.post('/v1/tasks', { input: { text: 'Book.' } })).body;
  await effectsDone(id);
  requests.length = 0;
  const { status, body } = await api.http.post(`/v1/tasks/${id}/cancel`, { undo: true, reason: 'The trip is off.' });
  expect({ status, body }).toMatchObject({ status: 200, body: { status: 'cancelled' } });
  expect(requests).toEqual(
    ['DELETE 2/room', 'DELETE 1/flight'].map((line) => expect.stringContaining(line.split(' ')[1] ?? '')),
  );
  // The two effects of one step may begin in either order.
  const byCall = body.effects.toSorted((a: { callId: string }, b: { callId: string }) =>
    a.callId.localeCompare(b.callId),
  );
  expect(byCall).toMatchObject([
    { callId: 'flight', state: 'undone', summary: 'booked a flight' },
    { callId: 'notify', state: 'cannot_be_undone', summary: 'notified everyone' },
    { callId: 'room', state: 'undone' },
  ]);
  const events = await api.events.read(api.scope, id, 0, 200);
  expect(events.at(-1)).toMatchObject({ type: 'task.cancelled', data: { reason: 'The trip is off.' } });
  expect(events.filter(({ type }) => type === 'effect.undone')).toHaveLength(3);
  // A repeat changes nothing.
  await api.http.post(`/v1/tasks/${id}/cancel`, { undo: true });
  expect(requests).toHaveLength(2);
});

test('cancel without undo reports the effects and leaves them', async () => {
  scriptBookings();
  const { id } = (await api.http.post('/v1/tasks', { input: { text: 'Book.' } })).body;
  await effectsDone(id);
  requests.length = 0;
  const { body } = await api.http.post(`/v1/tasks/${id}/cancel`, {});
  expect(body.effects.map(({ state }: { state: string }) => state)).toEqual(['done', 'done', 'done']);
  expect(requests).toEqual([]);
});

const undo = (id: string) => api.http.request(`/v1/tasks/${id}/undo`, { method: 'POST' });

test('what a task has changed is undone after its end, newest first, once', async () => {
  api.script([
    { calls: [{ tool: 'book', arguments: { what: 'a flight', isDear: true }, callId: 'flight' }] },
    { calls: [{ tool: 'book', arguments: { what: 'a room', isDear: false }, callId: 'room' }] },
    { calls: [{ tool: 'notify', arguments: {}, callId: 'notify' }] },
    { text: ['Done.'] },
  ]);
  const { id } = (await api.http.post('/v1/tasks', { input: { text: 'Book.' } })).body;
  const { lastSeq } = await api.taskReaches(id, 'completed');
  requests.length = 0;
  // A cancel comes too late, and changes nothing.
  expect((await api.http.post(`/v1/tasks/${id}/cancel`, { undo: true })).body.status).toBe('completed');
  const [first, second] = await Promise.all([undo(id), undo(id)]);
  expect([200, 202]).toContain(first.status);
  expect([200, 202]).toContain(second.status);
  const { body } = await until('the undo has ended', async () => {
    const answer = await undo(id);
    return answer.status === 200 && answer;
  });
  expect(body).toMatchObject({
    status: 'completed',
    result: { text: 'Done.' },
    effects: [{ state: 'undone' }, { state: 'undone' }, { state: 'cannot_be_undone' }],
  });
  expect(requests.map((line) => line.split('/').at(-1))).toEqual(['room', 'flight']);
  const { events } = (await api.http.get(`/v1/tasks/${id}/events?after=${lastSeq}`, { accept: 'application/json' }))
    .body;
  expect(events.map(({ type, data }: AnyJson) => `${type} ${data.callId} ${data.state}`)).toEqual([
    'effect.undone notify cannot_be_undone',
    'effect.undone room undone',
    'effect.undone flight undone',
  ]);
});

test('an undo that failed is tried again by the next request', async () => {
  let isDown = true;
  api.tool(
    'order',
    async (_, { beforeSend }) => {
      await beforeSend();
      return { output: {}, summary: 'ordered' };
    },
    {
      effect: 'write',
      undo: async (_, __, { beforeSend }) => {
        await beforeSend();
        if (isDown) throw new AlfredError('destination_refused', 'Closed today.');
        return { summary: 'returned' };
      },
    },
  );
  api.script([{ calls: [{ tool: 'order', arguments: {} }] }, { text: ['Done.'] }]);
  const { id } = (await api.http.post('/v1/tasks', { input: { text: 'Order.' } })).body;
  await api.taskReaches(id, 'completed');
  await undo(id);
  const stateOf = async () => (await api.http.get(`/v1/tasks/${id}`)).body.effects[0].state;
  await until('it failed', async () => (await stateOf()) === 'undo_failed');
  isDown = false;
  await undo(id);
  await until('it is undone', async () => (await stateOf()) === 'undone');
});

test('an undo is refused while the task runs, and when nothing can be undone', async () => {
  const blocked = blockedTurn('Thinking');
  api.script([blocked.turn]);
  const { id } = (await api.http.post('/v1/tasks', { input: { text: 'Book.' } })).body;
  await api.taskReaches(id, 'running');
  expect(await undo(id)).toMatchObject({ status: 409, body: { code: 'task_running' } });
  blocked.release();
  await api.taskReaches(id, 'completed');
  expect(await undo(id)).toMatchObject({ status: 409, body: { code: 'nothing_to_undo' } });
  expect((await undo('019ab7a0-0000-7000-8000-000000000000')).status).toBe(404);
});

test('stop with undo undoes the effects of a conversation’s running task', async () => {
  scriptBookings();
  const conversation = await openConversation(api);
  await conversation.say('Book.');
  const id = await conversation.running();
  await effectsDone(id);
  requests.length = 0;
  await api.http.post(`${conversation.path}/stop`, { undo: true });
  await conversation.quiet();
  expect(requests).toHaveLength(2);
  const { status, effects } = (await api.http.get(`/v1/tasks/${id}`)).body;
  expect(status).toBe('cancelled');
  expect(effects.map(({ state }: { state: string }) => state).toSorted()).toEqual([
    'cannot_be_undone',
    'undone',
    'undone',
  ]);
});
