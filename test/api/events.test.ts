import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { until, untilAborted } from '../support/until.ts';
import { createApiHarness, startApi, type ApiHarness } from './api-harness.ts';
import { eventsIn } from './checked-client.ts';

let api: ApiHarness;
beforeAll(async () => {
  api = await createApiHarness();
});
afterAll(() => api?.close());

const started = async () => (await api.http.post('/v1/tasks', { input: { text: 'What?' } })).body.id as string;
const finished = async (text: string[]) => {
  api.script([{ text }]);
  const id = await started();
  await api.followToEnd(id);
  return id;
};
const stream = (id: string, headers: Record<string, string> = {}, query = '') =>
  api.http.get(`/v1/tasks/${id}/events${query}`, { accept: 'text/event-stream', ...headers });
const numbers = (text: string) => eventsIn(text).map(({ id }) => id);
const openStreams = async () => (await api.metrics.eventStreams.get()).values[0]?.value ?? 0;

describe('an event stream', () => {
  test('sends every event of a finished task once, with its number, type and body, and ends', async () => {
    const id = await finished(['One ', 'two ', 'three.']);
    const answer = await stream(id);
    expect(answer.headers.get('content-type')).toMatch(/^text\/event-stream/);
    expect(answer.body).toMatch(/^retry: \d+\n\n/);
    const events = eventsIn(answer.body);
    expect(events.map(({ data }) => data)).toEqual(await api.events.read(api.scope, id, 0, 100));
    for (const event of events) expect([event.id, event.event]).toEqual([event.data.seq, event.data.type]);
    expect(events.at(-1)?.event).toBe('task.completed');
  });

  test('resumes after any event without gap or duplicate, by header and by query, during the task and after it', async () => {
    let release = () => {};
    const blocked = new Promise<void>((resolve) => (release = resolve));
    api.script([{ text: ['a', 'b', 'c', 'd'], until: () => blocked }]);
    const id = await started();
    await until('there is text', async () =>
      (await api.events.read(api.scope, id, 0, 100)).some(({ type }) => type === 'text.delta'),
    );
    const last = (await api.events.read(api.scope, id, 0, 100)).length;
    const live = Array.from({ length: last + 1 }, (_, cut) => stream(id, { 'last-event-id': String(cut) }));
    await until('all streams are open', async () => (await openStreams()) === last + 1);
    release();
    const all = (await api.followToEnd(id)).map(({ seq }) => seq);
    for (const [cut, answer] of (await Promise.all(live)).entries())
      expect(numbers(answer.body)).toEqual(all.slice(cut));
    for (const cut of all.slice(0, -1)) {
      expect(numbers((await stream(id, { 'last-event-id': String(cut) })).body)).toEqual(all.slice(cut));
      expect(numbers((await stream(id, {}, `?after=${cut}`)).body)).toEqual(all.slice(cut));
      expect(numbers((await stream(id, { 'last-event-id': String(cut) }, '?after=0')).body)).toEqual(all.slice(cut));
    }
    await until('no stream is open', async () => (await openStreams()) === 0);
  });

  test('without further events answers 204, so that a browser does not reconnect', async () => {
    const id = await finished(['Done.']);
    const last = (await api.events.read(api.scope, id, 0, 100)).length;
    for (const after of [last, last + 7, 999_999_999])
      expect((await stream(id, { 'last-event-id': String(after) })).status).toBe(204);
  });

  test('ends when the task is cancelled through another pod', async () => {
    api.script([{ text: ['Hm'], until: untilAborted }]);
    const id = await started();
    const following = stream(id);
    const pod = await startApi(api);
    await pod.http.post(`/v1/tasks/${id}/cancel`, {});
    expect(eventsIn((await following).body).at(-1)?.event).toBe('task.cancelled');
    await pod.app.close();
  });

  test('sends heartbeats while nothing happens, and notices a client that disconnects', async () => {
    const pod = await startApi(api, { heartbeatMs: 20 });
    api.script([{ text: ['Hm'], until: untilAborted }]);
    const id = await started();
    const connection = new AbortController();
    const response = await fetch(`${pod.url}/v1/tasks/${id}/events`, { signal: connection.signal });
    let text = '';
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    while ((text.match(/^: still here$/gm) ?? []).length < 3) text += (await reader?.read())?.value ?? '';
    expect(await openStreams()).toBe(1);
    connection.abort();
    await until('no stream is open', async () => (await openStreams()) === 0);
    await api.http.post(`/v1/tasks/${id}/cancel`, {});
    await pod.app.close();
  });

  test('ends when its pod drains, and continues on another pod', async () => {
    const pod = await startApi(api);
    let release = () => {};
    const blocked = new Promise<void>((resolve) => (release = resolve));
    api.script([{ text: ['Half, ', 'whole.'], until: () => blocked }]);
    const id = await started();
    const firstPart = pod.http.get(`/v1/tasks/${id}/events`, { accept: 'text/event-stream' });
    const waiting = pod.http.get(`/v1/tasks/${id}`, { prefer: 'wait=60' });
    await until('one stream is open', async () => (await openStreams()) === 1);
    pod.readiness.markDraining();
    const closed = pod.app.close();
    const first = numbers((await firstPart).body);
    expect((await waiting).body.status).not.toBe('completed');
    await closed;
    release();
    const rest = numbers((await stream(id, { 'last-event-id': String(first.at(-1) ?? 0) })).body);
    expect([...first, ...rest]).toEqual((await api.followToEnd(id)).map(({ seq }) => seq));
  });

  test('that its client does not read is not read ahead from the database', async () => {
    const { id } = await api.tasks.create(api.scope, { agent: 'knowledge', input: { text: 'much' } }, {});
    const count = 8_000;
    await api.postgres.pool.query(
      `insert into task_events (task_id, seq, type, data)
       select $1, n, 'text.delta', jsonb_build_object('step', 1, 'attempt', 1, 'text', repeat('x', 4000)) from generate_series(2, $2::int) n`,
      [id, count],
    );
    await api.postgres.pool.query('update tasks set last_seq = $2 where id = $1', [id, count]);
    await api.tasks.close({ ...api.scope, taskId: id, agent: 'knowledge' }, undefined, {
      status: 'cancelled',
      reason: 'enough',
    });
    let eventsRead = 0;
    const counting = {
      ...api.events,
      follow: (...args: Parameters<typeof api.events.follow>) =>
        countEvents(api.events.follow(...args), (count) => {
          eventsRead += count;
        }),
    };
    const pod = await startApi(api, { events: counting });
    const { port } = new URL(pod.url);
    const reader = await new Promise<Socket>((resolve) => {
      const socket = connect(Number(port), '127.0.0.1', () => resolve(socket));
    });
    reader.pause();
    reader.write(`GET /v1/tasks/${id}/events HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
    await settled(() => eventsRead);
    // 8,000 events are 32 MB. The socket buffers of both sides hold a few MB.
    expect(eventsRead).toBeGreaterThan(0);
    expect(eventsRead).toBeLessThan(count / 2);
    let bytes = '';
    reader.setEncoding('utf8').on('data', (chunk: string) => (bytes += chunk));
    await new Promise((resolve) => reader.on('close', resolve).resume());
    expect([...bytes.matchAll(/^id: (\d+)$/gm)].map(([, seq]) => Number(seq))).toEqual(
      Array.from({ length: count + 1 }, (_, n) => n + 1),
    );
    await pod.app.close();
  });
});

describe('events as JSON', () => {
  test('are returned at once; the next page begins after the last event', async () => {
    const id = await finished(['One.']);
    const all = await api.events.read(api.scope, id, 0, 100);
    const page = (after: number) =>
      api.http.get(`/v1/tasks/${id}/events?after=${after}`, { accept: 'application/json' });
    for (let cut = 0; cut < all.length; cut++)
      expect((await page(cut)).body).toEqual({ events: all.slice(cut), lastSeq: all.length, nextCursor: null });
    expect((await page(all.length)).body).toEqual({ events: [], lastSeq: all.length, nextCursor: null });
  });

  test('can be listed by the page, with a cursor to the next', async () => {
    const id = await finished(['One.']);
    const all = await api.events.read(api.scope, id, 0, 100);
    const page = async (query: string) => (await api.http.get(`/v1/tasks/${id}/events/page?${query}`)).body;
    const first = await page('limit=2');
    expect(first).toEqual({ events: all.slice(0, 2), lastSeq: 2, nextCursor: '2' });
    expect(await page(`limit=200&cursor=${first.nextCursor}`)).toEqual({
      events: all.slice(2),
      lastSeq: all.length,
      nextCursor: null,
    });
    expect((await api.http.get(`/v1/tasks/${id}/events/page?cursor=x`)).status).toBe(422);
  });

  test.each(['?after=-1', '?after=x', '?after=99999999999', '?from=1'])('%s is refused', async (query) => {
    const { id } = await api.tasks.create(api.scope, { agent: 'knowledge', input: { text: 'A' } }, {});
    expect((await stream(id, {}, query)).status).toBe(422);
  });

  test.each(['x', '-1', '99999999999', '1.5'])('Last-Event-ID: %s is refused', async (id) => {
    const row = await api.tasks.create(api.scope, { agent: 'knowledge', input: { text: 'A' } }, {});
    expect((await stream(row.id, { 'last-event-id': id })).status).toBe(422);
  });
});

async function* countEvents<T>(pages: AsyncIterable<T[]>, count: (length: number) => void): AsyncGenerator<T[]> {
  for await (const page of pages) {
    count(page.length);
    yield page;
  }
}

/** Waits until a number above 0 stays the same for 50 reads, 10 ms apart. */
async function settled(read: () => number): Promise<void> {
  let last = read();
  let same = 0;
  while (same < 50) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    const current = read();
    same = current === last && current > 0 ? same + 1 : 0;
    last = current;
  }
}
