import { afterEach, describe, expect, test } from '@jest/globals';
import { createAlfred, type AlfredError, type AlfredOptions } from '../../client/src/index.ts';
import { createFakeServer, sendJson, sendProblem, type Answer } from './fake-server.ts';

const servers: { close: () => Promise<void> }[] = [];
afterEach(() => Promise.all(servers.splice(0).map((server) => server.close())));
async function serve(answer: Answer, options: Partial<AlfredOptions> = {}) {
  const server = await createFakeServer(answer, options);
  servers.push(server);
  return server;
}
/** The address of a server that has gone. */
async function addressOfNone() {
  const { url, close } = await createFakeServer(() => undefined);
  await close();
  return url;
}

const task = { input: { text: 'What?' } };
const retryAfter = { 'retry-after': '0' };

describe('a request is repeated', () => {
  test('after a 503 as late as Retry-After says, with the same key', async () => {
    const seen: [key: unknown, at: number][] = [];
    let waits = 0;
    const { alfred } = await serve(
      (response, request, count) => {
        seen.push([request.headers['idempotency-key'], performance.now()]);
        if (count === 1) return sendProblem(response, 503, 'draining', { 'retry-after': '1' });
        return sendJson(response, 202, { id: 't' });
      },
      { onWait: () => waits++ },
    );
    expect(await alfred.request('POST /v1/tasks', { body: task })).toEqual({ id: 't' });
    expect(seen).toHaveLength(2);
    expect(seen[0]?.[0]).toMatch(/^[0-9a-f]{32}$/);
    expect(seen[1]?.[0]).toBe(seen[0]?.[0]);
    expect(seen[1]![1] - seen[0]![1]).toBeGreaterThanOrEqual(990);
    expect(waits).toBe(1);
  });

  test('after a broken connection and after a time-out', async () => {
    const { alfred, requests } = await serve((response, _, count) => {
      if (count === 1) return response.destroy();
      return count === 2 ? undefined : sendJson(response, 200, { agents: [] });
    });
    expect(await alfred.request('GET /v1/agents', { timeoutMs: 150 })).toEqual({ agents: [] });
    expect(requests).toHaveLength(3);
  });

  test('only when that is safe: of a route without key not after 503, but after 429', async () => {
    const path = { id: 'a' };
    const busy = await serve((response) => sendProblem(response, 503, 'temporal_unavailable', retryAfter));
    await expect(busy.alfred.request('POST /v1/schedules/{id}/run', { path })).rejects.toMatchObject({
      code: 'temporal_unavailable',
      retryable: true,
      retryAfterMs: 0,
    });
    expect(busy.requests).toHaveLength(1);
    const limited = await serve((response, _, count) =>
      count === 1 ? sendProblem(response, 429, 'too_many', retryAfter) : sendJson(response, 200, { id: 'a' }),
    );
    expect(await limited.alfred.request('POST /v1/schedules/{id}/run', { path })).toEqual({ id: 'a' });
  });

  test('a message gets an id, so that it can be repeated', async () => {
    const bodies: string[] = [];
    const { alfred } = await serve((response, request, count) => {
      let text = '';
      request.on('data', (chunk: Buffer) => (text += String(chunk)));
      request.on('end', () => {
        bodies.push(text);
        if (count === 1) return response.destroy();
        return sendJson(response, 202, {});
      });
    });
    await alfred.request('POST /v1/conversations/{id}/messages', { path: { id: 'a' }, body: { text: 'Hello' } });
    expect(bodies).toHaveLength(2);
    expect(bodies[0]).toMatch(/"id":"[0-9a-f]{32}"/);
    expect(bodies[1]).toBe(bodies[0]);
  });

  test('a deletion whose answer was lost is done; of a missing thing it is refused', async () => {
    const { alfred } = await serve((response, _, count) =>
      count === 1 ? response.destroy() : sendProblem(response, 404, 'not_found'),
    );
    const path = { id: 'a' };
    expect(await alfred.request('DELETE /v1/tasks/{id}', { path })).toBeUndefined();
    await expect(alfred.request('DELETE /v1/tasks/{id}', { path })).rejects.toMatchObject({ code: 'not_found' });
  });

  test('until the server has been away for too long', async () => {
    const { alfred, requests } = await serve((response) => sendProblem(response, 503, 'draining', retryAfter));
    await expect(alfred.request('GET /v1/agents', { giveUpAfterMs: 0 })).rejects.toMatchObject({ code: 'draining' });
    const before = requests.length;
    const longer = { 'retry-after': '3600' };
    const later = await serve((response) => sendProblem(response, 503, 'draining', longer));
    await expect(later.alfred.request('GET /v1/agents')).rejects.toMatchObject({ retryAfterMs: 3_600_000 });
    expect([before >= 1, later.requests.length]).toEqual([true, 1]);
  });
});

describe('an error says what is wrong', () => {
  test('a problem document: code, status, request, faults', async () => {
    const issues = [{ path: 'input', message: 'expected an object' }];
    const { alfred } = await serve((response) =>
      sendJson(response, 422, { code: 'invalid_request', detail: 'input: …', requestId: 'r-1', issues }),
    );
    const error = await alfred.request('POST /v1/tasks', { body: task }).catch((thrown: AlfredError) => thrown);
    expect(error).toMatchObject({ code: 'invalid_request', status: 422, requestId: 'r-1', retryable: false, issues });
  });

  test('another server, a page in place of JSON, and a redirect', async () => {
    const { alfred, url } = await serve((response, _, count) => {
      if (count === 1) return response.writeHead(404, { 'content-type': 'text/html' }).end('<h1>nginx</h1>');
      if (count === 2) return response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>nginx</h1>');
      return response.writeHead(308, { location: 'https://elsewhere.example/' }).end();
    });
    const refused = (message: string) => ({ code: 'not_alfred', message: expect.stringContaining(message) });
    const read = () => alfred.request('GET /v1/agents');
    await expect(read()).rejects.toMatchObject(refused(`GET ${url}/v1/agents answered 404`));
    await expect(read()).rejects.toMatchObject(refused('answered no JSON'));
    await expect(read()).rejects.toMatchObject(refused('is redirected to https://elsewhere.example/'));
  });

  test('no server, and one that never answers', async () => {
    const away = await addressOfNone();
    await expect(createAlfred({ url: away }).request('GET /v1/agents', { giveUpAfterMs: 300 })).rejects.toMatchObject({
      code: 'unreachable',
      message: `Alfred cannot be reached at ${away} (ECONNREFUSED). Is it running, and is url right?`,
    });
    const { alfred } = await serve(() => undefined);
    await expect(alfred.request('GET /v1/agents', { timeoutMs: 50, giveUpAfterMs: 0 })).rejects.toMatchObject({
      code: 'no_answer',
      message: expect.stringContaining('was not answered within 0.05 s'),
    });
  });

  test.each([
    ['alfred.example.com', 'is no address'],
    ['ftp://alfred.example.com', 'must begin with http'],
    ['https://me:secret@alfred.example.com', 'no user or password'],
    ['https://alfred.example.com/v1/', 'leave out /v1'],
  ])('%s as url is refused', (url, message) => {
    expect(() => createAlfred({ url })).toThrow(message);
    expect(() => createAlfred({ url })).toThrow(TypeError);
  });

  test('an empty id would be another address', async () => {
    const { alfred } = await serve((response) => sendJson(response, 200, {}));
    for (const id of ['', '.', '..'])
      await expect(alfred.request('GET /v1/tasks/{id}', { path: { id } })).rejects.toThrow('id is');
  });
});

test('an abort ends a request with the reason of its signal, also between two attempts', async () => {
  const { alfred, requests } = await serve((response, _, count) =>
    count === 1 ? sendProblem(response, 503, 'draining', { 'retry-after': '10' }) : undefined,
  );
  const reason = new Error('enough');
  const controller = new AbortController();
  const waiting = createAlfred({ url: await addressOfNone(), onWait: () => controller.abort(reason) });
  await expect(waiting.request('GET /v1/agents', { signal: controller.signal })).rejects.toBe(reason);
  const paused = alfred.request('GET /v1/agents', { signal: AbortSignal.timeout(100) });
  await expect(paused).rejects.toMatchObject({ name: 'TimeoutError' });
  const open = alfred.request('GET /v1/agents', { signal: AbortSignal.timeout(100) });
  await expect(open).rejects.toMatchObject({ name: 'TimeoutError' });
  const before = requests.length;
  await expect(alfred.request('GET /v1/agents', { signal: controller.signal })).rejects.toBe(reason);
  expect(requests).toHaveLength(before);
});

test('a token may be a function, which is asked before every attempt; an address may have a path', async () => {
  let tokens = 0;
  const { url, requests } = await serve((response, _, count) =>
    count === 1 ? sendProblem(response, 503, 'draining', retryAfter) : sendJson(response, 200, { agents: [] }),
  );
  const alfred = createAlfred({ url: `${url}/behind/a/proxy/`, token: async () => `token-${++tokens}` });
  await alfred.request('GET /v1/agents');
  expect(requests.map(({ headers }) => headers.authorization)).toEqual(['Bearer token-1', 'Bearer token-2']);
  expect(requests[0]?.url).toBe('/behind/a/proxy/v1/agents');
});

test('a list is read page by page, as far as it is read', async () => {
  const { alfred, requests } = await serve((response, { url = '' }) => {
    const first = Number(new URL(url, 'http://a').searchParams.get('cursor') ?? 1);
    sendJson(response, 200, {
      tasks: [{ id: first }, { id: first + 1 }],
      nextCursor: first > 4 ? null : `${first + 2}`,
    });
  });
  const ids: unknown[] = [];
  for await (const { id } of alfred.list('GET /v1/tasks', { query: { status: 'completed', limit: 2 } })) ids.push(id);
  expect(ids).toEqual([1, 2, 3, 4, 5, 6]);
  expect(requests.map(({ url }) => url)).toEqual([
    '/v1/tasks?status=completed&limit=2',
    '/v1/tasks?status=completed&limit=2&cursor=3',
    '/v1/tasks?status=completed&limit=2&cursor=5',
  ]);
  for await (const _ of alfred.list('GET /v1/tasks')) break;
  expect(requests).toHaveLength(4);
});

test('a file is read as bytes, again after a broken connection, and one that is missing is refused', async () => {
  const bytes = Buffer.from([0, 255, 128, 10]);
  const { alfred, requests } = await serve((response, request, count) => {
    if (count === 1) return response.destroy();
    if (request.url?.endsWith('/none')) return sendProblem(response, 404, 'not_found');
    return void response.writeHead(200, { 'content-type': 'image/png' }).end(bytes);
  });
  expect(Buffer.from(await alfred.readArtifact('t/1', 'a', { timeoutMs: 5_000 })).equals(bytes)).toBe(true);
  expect(requests.map(({ url, headers }) => [url, headers.accept]).at(-1)).toEqual([
    '/v1/tasks/t%2F1/artifacts/a',
    '*/*',
  ]);
  await expect(alfred.readArtifact('t', 'none')).rejects.toMatchObject({ code: 'not_found', status: 404 });
});
