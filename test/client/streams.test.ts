import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from '@jest/globals';
import { until } from '../support/until.ts';
import { createFakeServer, sendProblem } from './fake-server.ts';

let close = async () => {};
afterEach(() => close());

const total = 8;
const event = (seq: number, text = `word ${seq} — ü 東京 😀`) => ({
  seq,
  type: seq === total ? 'task.completed' : 'text.delta',
  data: { text },
});
const frame = (seq: number, text?: string) =>
  `id: ${seq}\nevent: text.delta\ndata: ${JSON.stringify(event(seq, text))}\n\n`;
const from = (after: number) => Array.from({ length: total - after }, (_, i) => frame(after + i + 1)).join('');
const whole = Array.from({ length: total }, (_, i) => i + 1);

type Serve = (connection: number, after: number, response: ServerResponse) => Iterable<string | Buffer> | undefined;

/** A server of event streams. It closes a connection after its parts, or leaves it open when there are none. */
async function streams(serve: Serve) {
  const server = await createFakeServer((response, { headers }, count) => {
    const parts = serve(count, Number(headers['last-event-id'] ?? 0), response);
    if (response.headersSent) return;
    response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
    if (!parts) return;
    for (const part of parts) response.write(part);
    setImmediate(() => response.destroy());
  });
  close = server.close;
  return server;
}
const all = async (events: AsyncIterable<{ seq: number }>) => {
  const seen: number[] = [];
  for await (const { seq } of events) seen.push(seq);
  return seen;
};

test('a stream that is cut at any byte goes on without gap or duplicate', async () => {
  const bytes = Buffer.from(from(0));
  for (let cut = 1; cut < bytes.length; cut += 97) {
    const { alfred } = await streams((connection, after) => [connection === 1 ? bytes.subarray(0, cut) : from(after)]);
    expect(await all(alfred.followTask('a'))).toEqual(whole);
    await close();
  }
});

test('any line ends, comments, split characters, data on several lines and unknown fields are read', async () => {
  const lines = from(0).replaceAll('\n', '\r\n').replace('word 2', 'word \\r\\n2');
  const two = 'data: {"seq":1,\r: comment\rdata:"type":"x"}\r\rretry: 1\ndata\n\n'.replace('data\n\n', '');
  const bytes = Buffer.from(`\ufeff: still here\n\n${two}${lines.slice(lines.indexOf('id: 2'))}`);
  const { alfred } = await streams((_, after) =>
    after === 0 ? [...bytes].map((byte) => Buffer.of(byte)) : [from(after)],
  );
  const seen: unknown[] = [];
  for await (const { seq, data } of alfred.followTask('a') as AsyncIterable<{ seq: number; data?: { text: string } }>)
    seen.push([seq, data?.text]);
  expect(seen).toEqual([
    [1, undefined],
    [2, 'word \r\n2 — ü 東京 😀'],
    ...whole.slice(2).map((seq) => [seq, event(seq).data.text]),
  ]);
});

test('pieces of 100,000 characters arrive whole', async () => {
  const text = 'ü😀 '.repeat(25_000);
  const { alfred } = await streams(() => whole.map((seq) => frame(seq, text)));
  const lengths: number[] = [];
  for await (const one of alfred.followTask('a') as AsyncIterable<{ data: { text: string } }>)
    lengths.push(one.data.text.length);
  expect(lengths).toEqual(whole.map(() => text.length));
});

test('repeated events are left out, and a gap leads to a new connection', async () => {
  const { alfred } = await streams((connection, after) => [
    connection === 1 ? frame(1) + frame(1) + frame(2) + frame(4) : from(Math.max(0, after - 1)),
  ]);
  expect(await all(alfred.followTask('a'))).toEqual(whole);
});

test('a gap that stays is an error', async () => {
  const { alfred, requests } = await streams(() => [frame(1) + frame(3)]);
  await expect(all(alfred.followTask('a'))).rejects.toMatchObject({ code: 'events_missing' });
  expect(requests).toHaveLength(4);
});

test('a silent connection is replaced, and a slow reader keeps a good one', async () => {
  const { alfred, requests } = await streams((connection, after, response) => {
    if (connection === 1) void sleep(1).then(() => response.write(frame(1)));
    return connection === 1 ? undefined : [from(after)];
  });
  const seen: number[] = [];
  for await (const { seq } of alfred.followTask('a', { silenceMs: 300 })) {
    seen.push(seq);
    // Longer than the silence that is allowed.
    if (seq === 2) await sleep(600);
  }
  expect(seen).toEqual(whole);
  expect(requests).toHaveLength(2);
});

test('a server that stops is waited for as long as it asks, and one that stays away is an error', async () => {
  const { alfred, requests } = await streams((connection, after, response) => {
    if (connection === 2) sendProblem(response, 503, 'draining', { 'retry-after': '0' });
    return [connection === 1 ? frame(1) : from(after)];
  });
  expect(await all(alfred.followTask('a'))).toEqual(whole);
  expect(requests.map(({ headers }) => headers['last-event-id'])).toEqual([undefined, '1', '1']);
  await close();
  close = async () => {};
  await expect(all(alfred.followTask('a', { giveUpAfterMs: 300 }))).rejects.toMatchObject({ code: 'unreachable' });
});

test('204 ends a stream; a refusal and another answer are errors at once', async () => {
  const { alfred, requests } = await streams((connection, _, response) => {
    if (connection === 1) response.writeHead(204).end();
    else if (connection === 2) sendProblem(response, 404, 'not_found');
    else response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>nginx</h1>');
    return undefined;
  });
  expect(await all(alfred.followTask('a', { after: total }))).toEqual([]);
  await expect(all(alfred.followTask('a'))).rejects.toMatchObject({ code: 'not_found' });
  await expect(all(alfred.followTask('a'))).rejects.toMatchObject({ code: 'not_alfred' });
  expect(requests).toHaveLength(3);
});

test('a reader that stops early or aborts closes its connection', async () => {
  let open = 0;
  const { alfred } = await streams((_, __, response) => {
    open++;
    response.on('close', () => open--);
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write(frame(1));
    return undefined;
  });
  for await (const { seq } of alfred.followTask('a')) if (seq === 1) break;
  await until('the connection is closed', () => open === 0);
  const stop = new AbortController();
  const events = alfred.followTask('a', { signal: stop.signal });
  await events.next();
  const next = events.next();
  stop.abort(new Error('enough'));
  await expect(next).rejects.toThrow('enough');
  await until('the connection is closed', () => open === 0);
  await expect(all(alfred.followTask('a', { signal: stop.signal }))).rejects.toThrow('enough');
});

test('a conversation is followed past the ends of its tasks, until it is deleted', async () => {
  const types = ['conversation.message', 'task.completed', 'conversation.deleted'];
  const frames = types.map((type, i) => `data: ${JSON.stringify({ seq: i + 1, type })}\n\n`);
  const { alfred, requests } = await streams((connection, after) =>
    connection === 1 ? frames.slice(0, 2) : frames.slice(after),
  );
  expect(await all(alfred.followConversation('a'))).toEqual([1, 2, 3]);
  expect(requests.map(({ url }) => url)).toEqual(['/v1/conversations/a/events', '/v1/conversations/a/events']);
});
