import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createApiHarness, startApi, type ApiHarness } from './api-harness.ts';

let api: ApiHarness;
beforeAll(async () => {
  api = await createApiHarness();
});
afterAll(() => api?.close());

/** Sends a request byte for byte; fetch would correct it. */
const raw = (text: string) =>
  new Promise<{ status: number; headers: Headers; body: string }>((resolve, reject) => {
    const { port, hostname } = new URL(api.url);
    const socket = connect(Number(port), hostname, () => socket.write(text));
    let answer = '';
    socket
      .setEncoding('utf8')
      .on('data', (chunk: string) => (answer += chunk))
      .on('error', reject);
    socket.on('close', () => {
      const [head = '', ...rest] = answer.split('\r\n\r\n');
      const [line = '', ...lines] = head.split('\r\n');
      resolve({
        status: Number(line.split(' ')[1]),
        headers: new Headers(lines.map((one) => one.split(': ') as [string, string])),
        body: rest.join('\r\n\r\n'),
      });
    });
  });
const withHost = async (host: string, more = '') => {
  const { status, headers, body } = await raw(
    `GET /v1/agents HTTP/1.1\r\nHost: ${host}\r\n${more}Connection: close\r\n\r\n`,
  );
  return api.http.check({ method: 'GET', path: '/v1/agents', status, headers, text: body });
};

describe('requests for another host or from another origin', () => {
  test.each([
    'evil.example',
    'localhost.evil.example',
    '10.0.0.1',
    '127.0.0.1.nip.io',
    '',
    'localhost:8080@evil',
    '[::2]',
  ])('Host "%s" is refused', async (host) => {
    const answer = await withHost(host);
    expect([answer.status, answer.body.code]).toEqual([403, 'forbidden_host']);
  });

  test.each(['localhost', 'LOCALHOST:9', '127.0.0.1:1', '127.1.2.3', '[::1]:8080'])(
    'Host "%s" is accepted',
    async (host) => {
      expect((await withHost(host)).status).toBe(200);
    },
  );

  test.each([
    'http://evil.example',
    'null',
    'https://localhost',
    'http://localhost:3000',
    'http://localhost.evil.example',
  ])('Origin "%s" is refused', async (origin) => {
    const answer = await withHost('localhost', `Origin: ${origin}\r\n`);
    expect([answer.status, answer.body.code, answer.headers.get('access-control-allow-origin')]).toEqual([
      403,
      'forbidden_host',
      null,
    ]);
  });

  test('a page of the same origin is accepted', async () => {
    expect((await withHost('localhost:8080', 'Origin: http://localhost:8080\r\n')).status).toBe(200);
  });

  test('an API that binds beyond loopback keeps the checks and takes the listed hosts', async () => {
    const config = {
      ...api.config,
      ...{ ALFRED_ALLOW_UNAUTHENTICATED_NETWORK: true },
      ALFRED_API_HOSTS: ['api:8080', 'alfred.example'],
    };
    const { app } = await startApi(api, { config });
    const statusOf = async (headers: Record<string, string>) =>
      (await app.inject({ url: '/v1/agents', headers })).statusCode;
    try {
      for (const host of ['api:8080', 'API:8080', 'alfred.example', 'alfred.example:81', '127.0.0.1:8080'])
        expect(await statusOf({ host })).toBe(200);
      for (const host of ['api', 'api:81', 'evil.example:8080', 'x.alfred.example'])
        expect(await statusOf({ host })).toBe(403);
      expect(await statusOf({ host: 'alfred.example', origin: 'https://alfred.example' })).toBe(200);
      expect(await statusOf({ host: '127.0.0.1:8080', origin: 'http://api:8080' })).toBe(403);
    } finally {
      await app.close();
    }
  });

  test('a form of another site adds no document', async () => {
    const open = { ALFRED_ALLOW_UNAUTHENTICATED_NETWORK: true };
    const { app } = await startApi(api, { config: { ...api.config, ...open } });
    const send = (origin: Record<string, string>) =>
      app.inject({
        method: 'POST',
        url: '/v1/documents',
        headers: { host: '127.0.0.1:8080', 'content-type': 'multipart/form-data; boundary=x', ...origin },
        payload:
          '--x\r\nContent-Disposition: form-data; name="file"; filename="a.md"\r\n\r\n# From a form\r\n--x--\r\n',
      });
    try {
      const { statusCode, body } = await send({ origin: 'https://evil.example' });
      expect([statusCode, JSON.parse(body).code]).toEqual([403, 'forbidden_host']);
      expect((await send({})).statusCode).toBe(202);
    } finally {
      await app.close();
    }
  });

  test('every host and origin is accepted with ALFRED_SKIP_HOST_CHECKS', async () => {
    const { app } = await startApi(api, { config: { ...api.config, ALFRED_SKIP_HOST_CHECKS: true } });
    const headers = { host: 'alfred-api:8080', origin: 'https://other.example' };
    expect((await app.inject({ url: '/v1/agents', headers })).statusCode).toBe(200);
    await app.close();
  });
});

describe('a sign-in', () => {
  const host = 'localhost';

  test('that names no sender lets no request in', async () => {
    for (const identity of [undefined, { tenant: '', subject: 'ada', roles: [] }]) {
      const { app } = await startApi(api, { identify: () => identity });
      const { statusCode, body } = await app.inject({ url: '/v1/tasks', headers: { host } });
      expect([statusCode, JSON.parse(body).code]).toEqual([401, 'unauthenticated']);
      expect((await app.inject({ url: '/healthz', headers: { host } })).statusCode).toBe(200);
      await app.close();
    }
  });

  test('that sends a role named * gives its sender no other role', async () => {
    const { app } = await startApi(api, {
      identify: () => ({ tenant: 'local', subject: 'ada', roles: ['*', 'clerk'] }),
    });
    const { statusCode, body } = await app.inject({
      method: 'POST',
      url: '/v1/tasks',
      headers: { host },
      payload: { agent: 'knowledge', input: { text: 'Who approves expenses?' } },
    });
    expect(statusCode).toBe(202);
    const { roles } = await api.postgres.db
      .selectFrom('tasks')
      .select('roles')
      .where('id', '=', JSON.parse(body).id)
      .executeTakeFirstOrThrow();
    expect(roles).toEqual(['clerk']);
    await app.close();
  });
});

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

  test('the document says that a change names something, and that there is no sign-in', () => {
    const { components, security } = api.http.document;
    expect(security).toEqual([]);
    for (const name of ['ConversationChange', 'ScheduleChange', 'SourceChange'])
      expect(components.schemas[name]).toMatchObject({ minProperties: 1 });
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
    ['DELETE', '/v1/tasks/01a2016f-73a4-7695-9a05-0f2fb996e093', 405],
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
    const answer = await raw(text);
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
  expect(body.agents).toEqual([
    expect.objectContaining({ name: 'knowledge', tools: expect.arrayContaining(['search_documents']) }),
    expect.objectContaining({ name: 'assistant', tools: expect.arrayContaining(['send_email']) }),
  ]);
  expect(body.agents[0].inputSchema).toMatchObject({ type: 'object', required: ['text'], additionalProperties: false });
  expect(body.agents[0].outputSchema.properties).toHaveProperty('citations');
});
