import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { agents } from '../../agents/index.ts';
import { createApiHarness, startApi, type ApiHarness } from './api-harness.ts';
import { sendRaw } from './send-raw.ts';

let api: ApiHarness;
beforeAll(async () => {
  api = await createApiHarness();
});
afterAll(() => api?.close());

describe('invalid requests', () => {
  const post = (body: string, headers: Record<string, string> = {}) =>
    api.http.request('/v1/tasks', {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body,
    });

  test.each(['{"input":', '', '{"input":{"__proto__":{}}}', 'undefined', '\u0000'])(
    'the body %j is malformed',
    async (body) => {
      const answer = await post(body);
      expect([answer.status, answer.body.code]).toEqual([400, 'malformed_request']);
    },
  );

  test('a body of null is refused, also where a body is optional', async () => {
    const { id } = (await post('{"input":{"text":"A"}}')).body;
    for (const path of [`/v1/tasks/${id}/cancel`, `/v1/conversations/${id}/stop`, '/v1/tasks']) {
      const headers = { 'content-type': 'application/json' };
      const answer = await api.http.request(path, { method: 'POST', headers, body: 'null' });
      expect([answer.status, answer.body.code]).toEqual([422, 'invalid_request']);
    }
  });

  test.each(['limit=0x10', 'limit=1e1', 'limit=%205', 'limit=5.0', 'limit='])(
    'the query %s is refused',
    async (query) => {
      const answer = await api.http.get(`/v1/tasks?${query}`);
      expect([answer.status, answer.body.issues[0].path]).toEqual([422, 'query.limit']);
    },
  );

  test('a position beyond the integers of the database is refused, as the document says', async () => {
    const { id } = (await api.http.post('/v1/conversations', { agent: 'knowledge' })).body;
    for (const query of ['before=2147483648', 'after=2147483648', 'before=9007199254740991'])
      expect((await api.http.get(`/v1/conversations/${id}/messages?${query}`)).status).toBe(422);
    expect((await api.http.get(`/v1/conversations/${id}/messages?before=2147483647`)).status).toBe(200);
  });

  test('an address that is larger than the limit is 431, as the document says', async () => {
    const answer = await api.http.get(`/v1/documents?collection=${'a'.repeat(20_000)}`);
    expect([answer.status, answer.body.code]).toEqual([431, 'malformed_request']);
  });

  test('the document says that a change names something, and that sign-in is optional', () => {
    const { components, security } = api.http.document;
    expect(security).toEqual([{}, { bearer: [] }]);
    for (const name of ['ConversationChange', 'ScheduleChange', 'SourceChange'])
      expect(components.schemas[name]).toMatchObject({ minProperties: 1 });
    const { timing, action } = components.schemas.ScheduleRequest.properties;
    const oneOf = (...names: string[]) => names.map((name) => ({ required: [name] }));
    expect(timing).toMatchObject({ oneOf: oneOf('cron', 'everyS'), dependentRequired: { offsetS: ['everyS'] } });
    expect(action).toMatchObject({ oneOf: oneOf('task', 'message') });
    expect(components.schemas.Metadata).toMatchObject({ maxProperties: 16 });
  });

  test.each([
    [{}, 'input: is missing'],
    [{ input: [] }, 'input: expected an object, received a list'],
    [{ input: { text: 'A' }, priority: 9 }, 'priority: expected at most 5'],
    [{ input: { text: 'A' }, more: 1 }, 'unknown: more'],
    [
      { input: { text: 'A' }, callback: { url: 'ftp://example.com', secret: `whsec_${'A'.repeat(32)}` } },
      'callback.url: expected an address that begins with http:// or https://',
    ],
  ])('%j is refused in plain words', async (body, sentence) => {
    const answer = await api.http.post('/v1/tasks', body);
    expect([answer.status, answer.body.detail]).toEqual([422, sentence]);
  });

  test('a form where JSON is expected is refused as such', async () => {
    const answer = await post('--b--', { 'content-type': 'multipart/form-data; boundary=b' });
    expect([answer.status, answer.body.code]).toEqual([415, 'unsupported_media_type']);
    expect(answer.body.detail).toContain('Send application/json. This request says multipart/form-data');
  });

  test('the address without a path leads to the reference', async () => {
    const answer = await fetch(api.url, { redirect: 'manual' });
    expect([answer.status, answer.headers.get('location')]).toEqual([302, '/docs']);
  });

  test.each(['text/plain', 'application/xml', 'application/x-www-form-urlencoded', 'nonsense'])(
    'a body of type %s is refused',
    async (type) => {
      const answer = await post('{}', { 'content-type': type });
      expect([answer.status, answer.body.code]).toEqual([415, 'unsupported_media_type']);
      expect(answer.body.detail).toContain(type);
    },
  );

  test('a body that is too large is refused with the limit', async () => {
    const answer = await post(JSON.stringify({ input: { text: 'x'.repeat(1_100_000) } }));
    expect([answer.status, answer.body.code]).toEqual([413, 'body_too_large']);
    expect(answer.body.detail).toContain('1.048576 MB');
  });

  test.each([
    ['GET', '/v1/nothing', 404],
    ['GET', '/v1', 404],
    ['GET', '/v1/tasks/', 404],
    ['GET', '/%E0%A4%A', 400],
    ['PUT', '/v1/tasks', 405],
    ['PUT', '/v1/tasks/01a2016f-73a4-7695-9a05-0f2fb996e093', 405],
    ['OPTIONS', '/v1/search', 405],
    ['POST', '/health', 405],
    ['HEAD', '/v1/tasks/01a2016f-73a4-7695-9a05-0f2fb996e093/events', 405],
  ])('%s %s is %i', async (method, path, status) => {
    if (method === 'HEAD') expect((await fetch(api.url + path, { method })).status).toBe(status);
    else expect((await api.http.request(path, { method })).status).toBe(status);
  });

  test.each([
    ['text/html', '/v1/agents', 406],
    ['image/*;q=1, application/json;q=0', '/v1/agents', 406],
    ['application/*', '/v1/agents', 200],
    ['text/html, */*;q=0.1', '/v1/agents', 200],
    ['text/html', '/v1/tasks/01a2016f-73a4-7695-9a05-0f2fb996e093/events', 406],
  ])('Accept: %s at %s is %i', async (accept, path, status) => {
    expect((await api.http.get(path, { accept })).status).toBe(status);
  });

  test.each([
    ['no HTTP', 'hello\r\n\r\n', 400],
    ['headers without end', `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
  ])('%s is answered with a problem document', async (_, text, status) => {
    const answer = await sendRaw(api.url, text);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([status, 'application/problem+json']);
    expect(JSON.parse(answer.body)).toMatchObject({
      code: 'malformed_request',
      status,
      requestId: answer.headers.get('x-request-id'),
    });
  });
});

describe('every request', () => {
  test('keeps a well-formed x-request-id of the caller and replaces any other', async () => {
    expect((await api.http.get('/health', { 'x-request-id': 'trace-1:a.b' })).headers.get('x-request-id')).toBe(
      'trace-1:a.b',
    );
    for (const bad of ['has space', 'x'.repeat(129), 'a"b']) {
      expect((await api.http.get('/health', { 'x-request-id': bad })).headers.get('x-request-id')).toMatch(
        /^[0-9a-f-]{36}$/,
      );
    }
  });

  test('is measured by its route pattern, never by its path', async () => {
    await api.http.get('/v1/tasks/01a2016f-73a4-7695-9a05-0f2fb996e093');
    const { body } = await api.http.get('/metrics');
    expect(body).toMatch(
      /http_request_duration_seconds_count\{method="GET",route="\/v1\/tasks\/:id",status="404"\} [1-9]/,
    );
    expect(body).not.toContain('01a2016f');
  });

  test('is logged in one line without its body', async () => {
    const lines: object[] = [];
    const log = Object.assign(Object.create(api.log) as typeof api.log, {
      info: (line: object) => void lines.push(line),
    });
    const logged = await startApi(api, { log });
    await logged.http.post('/v1/tasks', { input: { text: 'secret', x: 1 } }, { 'x-request-id': 'logged' });
    expect(lines.filter((line) => (line as { requestId?: string }).requestId === 'logged')).toEqual([
      { method: 'POST', route: '/v1/tasks', status: 422, ms: expect.any(Number), requestId: 'logged' },
    ]);
    const id = '01a2016f-73a4-7695-9a05-0f2fb996e093';
    for (const name of [id, 'salary-of-anna']) await logged.http.get(`/v1/tasks/${name}`, { 'x-request-id': name });
    expect(lines.slice(-2)).toEqual([
      expect.objectContaining({ requestId: id, taskId: id }),
      expect.not.objectContaining({ taskId: expect.anything() }),
    ]);
    await logged.app.close();
  });
});

describe('health', () => {
  test('/health is ok while the process runs', async () => {
    expect((await api.http.get('/health')).body).toMatchObject({
      status: 'ok',
      version: expect.any(String),
      uptime_s: expect.any(Number),
    });
  });

  test('/healthz is 503 while draining, and so is everything except probes and metrics', async () => {
    const pod = await startApi(api);
    expect((await pod.http.get('/healthz')).body).toMatchObject({
      status: 'ready',
      dependencies: { postgres: { status: 'ok' } },
    });
    pod.readiness.markDraining();
    expect(await pod.http.get('/healthz')).toMatchObject({ status: 503, body: { status: 'draining' } });
    const refused = await pod.http.get('/v1/tasks');
    expect([refused.status, refused.body.code, refused.headers.get('retry-after')]).toEqual([503, 'draining', '1']);
    expect((await pod.http.get('/health')).status).toBe(200);
    expect((await pod.http.get('/metrics')).status).toBe(200);
    await pod.app.close();
  });
});

test('agents are listed with the schemas of their input and output', async () => {
  const { body } = await api.http.get('/v1/agents');
  expect(body.agents.map(({ name, tools }: { name: string; tools: string[] }) => ({ name, tools }))).toEqual(
    Object.entries(agents).map(([name, { tools }]) => ({ name, tools })),
  );
  const knowledge = body.agents.find(({ name }: { name: string }) => name === 'knowledge');
  expect(knowledge.inputSchema).toMatchObject({ type: 'object', required: ['text'], additionalProperties: false });
  expect(knowledge.outputSchema.properties).toHaveProperty('citations');
});
