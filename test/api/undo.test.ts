import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { bookingTool } from '../support/bookings/booking-tool.ts';
import { until } from '../support/until.ts';
import { createApiHarness, type ApiHarness } from './api-harness.ts';
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
