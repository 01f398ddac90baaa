import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, jest, test } from '@jest/globals';
import { createApiClient } from '../../cli/client/api-client.ts';
import { followConversation, followEvents } from '../../cli/client/follow-events.ts';

let server: Server | undefined;
afterEach(() => server?.closeAllConnections() ?? undefined);
afterEach(() => void jest.restoreAllMocks());
afterEach(() => new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined))));

const usage = { modelCalls: 1, inputTokens: 1, cacheReadTokens: 0, cacheWriteTokens: 0, outputTokens: 1, costUsd: 0 };
const total = 8;
const event = (seq: number) => ({
  seq,
  at: new Date().toISOString(),
  ...(seq === total
    ? { type: 'task.completed', data: { result: { text: 'Done.', citations: [] }, usage } }
    : { type: 'text.delta', data: { step: 1, attempt: 1, text: `word ${seq} — ü` } }),
});
const frame = (seq: number) => `id: ${seq}\nevent: x\ndata: ${JSON.stringify(event(seq))}\n\n`;

/** A server of event streams. `serve` gets the number of the connection and the last event that the client has. */
async function streams(serve: (connection: number, after: number) => { text: string | Buffer; open?: boolean }) {
  let connections = 0;
  server = createServer((request, response) => {
    const { text, open } = serve(++connections, Number(request.headers['last-event-id'] ?? 0));
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write(text);
    if (!open) setImmediate(() => response.destroy());
  });
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { api: createApiClient(async () => ({ url, foundBy: 'test' })), connections: () => connections };
}

const all = async (events: AsyncIterable<{ seq: number }>) => {
  const seen: number[] = [];
  for await (const { seq } of events) seen.push(seq);
  return seen;
};
const from = (after: number) => Array.from({ length: total - after }, (_, i) => frame(after + i + 1)).join('');
const whole = Array.from({ length: total }, (_, i) => i + 1);

test('a stream that is cut at any byte continues without gap or duplicate', async () => {
  const bytes = Buffer.from(from(0));
  for (let cut = 1; cut < bytes.length; cut += 131) {
    const { api } = await streams((connection, after) => ({
      text: connection === 1 ? bytes.subarray(0, cut) : from(after),
    }));
    expect(await all(followEvents(api, 'a'))).toEqual(whole);
    server?.closeAllConnections();
    await new Promise((resolve) => server?.close(resolve));
  }
});

test('repeated events are dropped, and a gap causes a reconnect', async () => {
  const { api } = await streams((connection, after) => ({
    text: connection === 1 ? frame(1) + frame(1) + frame(2) + frame(4) : from(Math.max(0, after - 1)),
  }));
  expect(await all(followEvents(api, 'a'))).toEqual(whole);
});

test('a gap that is still there after reconnects is an error', async () => {
  const { api, connections } = await streams(() => ({ text: frame(1) + frame(3) }));
  await expect(all(followEvents(api, 'a'))).rejects.toThrow('has a gap after event 1');
  expect(connections()).toBe(4);
});

test('a silent connection is replaced by a new one', async () => {
  const { api } = await streams((connection, after) =>
    connection === 1 ? { text: frame(1), open: true } : { text: from(after) },
  );
  expect(await all(followEvents(api, 'a', { silenceMs: 100 }))).toEqual(whole);
});

test('a reader that takes longer for an event than a connection may be silent keeps its connection', async () => {
  let connections = 0;
  let sendRest = () => {};
  server = createServer((request, response) => {
    connections++;
    const after = Number(request.headers['last-event-id'] ?? 0);
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write(frame(after + 1));
    sendRest = () => void response.end(from(after + 1));
  });
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const seen: number[] = [];
  for await (const { seq } of followEvents(
    createApiClient(async () => ({ url, foundBy: 'test' })),
    'a',
    {
      silenceMs: 100,
    },
  )) {
    seen.push(seq);
    if (seq > 1) continue;
    await new Promise((resolve) => setTimeout(resolve, 300));
    sendRest();
  }
  expect({ seen, connections }).toEqual({ seen: whole, connections: 1 });
});

test('a server that takes connections and never answers is given up', async () => {
  let passedMs = 0;
  const now = Date.now.bind(Date);
  jest.spyOn(Date, 'now').mockImplementation(() => now() + passedMs);
  let connections = 0;
  server = createServer(() => {
    connections++;
    passedMs += 40_000;
  });
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const api = createApiClient(async () => ({ url, foundBy: 'test' }));
  await expect(all(followEvents(api, 'a', { silenceMs: 400 }))).rejects.toThrow('of task a stays silent');
  expect(connections).toBe(4);
});

test('when the server stays away, following ends with an error that says what to do', async () => {
  let waits = 0;
  const api = createApiClient(async () => ({ url: 'http://127.0.0.1:1', foundBy: 'test' }));
  await expect(all(followEvents(api, 'a', { giveUpAfterMs: 500, onWait: () => waits++ }))).rejects.toThrow(
    /does not answer at http:\/\/127\.0\.0\.1:1 .*\n.*npm start/,
  );
  expect(waits).toBe(1);
});

test('after the last event of an ended task, there is nothing to follow', async () => {
  server = createServer((_, response) => void response.writeHead(204).end());
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const api = createApiClient(async () => ({ url, foundBy: 'test' }));
  expect(await all(followEvents(api, 'a', { after: total }))).toEqual([]);
});

test('a conversation is followed past the ends of its tasks, until it is deleted', async () => {
  const taskId = '0198c5c6-1111-7000-8000-000000000000';
  const ofTask = (seq: number) => ({ ...event(total), seq, taskId, taskSeq: seq });
  const deleted = { seq: 4, at: new Date().toISOString(), type: 'conversation.deleted', data: {} };
  const frames = [ofTask(1), ofTask(2), ofTask(3), deleted].map((one) => `data: ${JSON.stringify(one)}\n\n`);
  const { api, connections } = await streams((connection, after) => ({
    text: connection === 1 ? `${frames[0]}${frames[1]}` : frames.slice(after).join(''),
  }));
  expect(await all(followConversation(api, 'a'))).toEqual([1, 2, 3, 4]);
  expect(connections()).toBe(2);
});
