import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { createRequestLimits } from '../../adapters/limits/request-limits.ts';
import type { ApiDeps } from '../../api/deps.ts';
import type { Api } from '../../api/http/fastify.ts';
import type { Config } from '../../runtime/config.ts';
import { openPostgres } from '../../runtime/database/postgres.ts';
import { until, untilPasses } from '../support/until.ts';
import { createApiHarness, type ApiHarness } from './api-harness.ts';
import { openDoor, type Door } from './open-door.ts';
import { sendRaw } from './send-raw.ts';

let api: ApiHarness;
const doors: Api[] = [];
beforeAll(async () => {
  api = await createApiHarness();
});
afterEach(async () => {
  for (const app of doors.splice(0)) {
    // An aborted request may still be on its way.
    app.server.closeAllConnections();
    await app.close();
  }
});
afterAll(() => api?.close());

/** Another process of the API, with these settings. Headers name the sender. */
async function open(settings: Partial<Config> = {}, deps: Partial<ApiDeps> = {}) {
  const door = await openDoor(api, settings, deps);
  doors.push(door.app);
  return door;
}
const as = (subject: string) => ({ 'x-subject': subject });
const limited = async (limit: string) =>
  (await api.metrics.requestsLimited.get()).values.find(({ labels }) => labels['limit'] === limit)?.value ?? 0;
/** Starts a request and leaves it unfinished. @returns ends the connection */
function begin(url: string, text: string) {
  const { port, hostname } = new URL(url);
  const socket = connect(Number(port), hostname, () => socket.write(text));
  socket.on('error', () => undefined);
  return () => socket.destroy();
}

describe('requests', () => {
  test('of a subject are limited, with what is left in the answer; others and probes are not', async () => {
    const { http } = await open({ ALFRED_LIMIT_SUBJECT: 2 });
    const before = await limited('subject');
    const first = await http.get('/v1/me', as('ada'));
    expect([first.status, first.headers.get('ratelimit-policy')]).toEqual([200, '"subject";q=2;w=60']);
    expect(first.headers.get('ratelimit')).toMatch(/^"subject";r=1;t=\d+$/);
    expect((await http.get('/v1/me', as('ada'))).status).toBe(200);
    const refused = await http.get('/v1/me', as('ada'));
    expect([refused.status, refused.body.code]).toEqual([429, 'rate_limited']);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(refused.body.detail).toMatch(/^You send too many requests\. The limit is 2 a minute\. Repeat in \d+ sec/);
    expect((await http.get('/v1/me', as('ben'))).status).toBe(200);
    expect((await http.get('/healthz')).status).toBe(200);
    expect((await limited('subject')) - before).toBe(1);
  });

  test('of a tenant are limited together, and only who is refused reads the count', async () => {
    const { http } = await open({ ALFRED_LIMIT_TENANT: 2 });
    for (const subject of ['ada', 'ben'])
      expect((await http.get('/v1/me', as(subject))).headers.get('ratelimit')).toBeNull();
    const { status, headers } = await http.get('/v1/me', as('cy'));
    expect([status, headers.get('ratelimit-policy')]).toEqual([429, '"tenant";q=2;w=60']);
  });

  test('that cost much are counted across processes, before their bodies are read', async () => {
    const [one, two] = [await open({ ALFRED_LIMIT_STARTS: 3 }), await open({ ALFRED_LIMIT_STARTS: 3 })];
    const start = ({ http }: Door) => http.post('/v1/tasks', as('ada'));
    expect((await start(one)).headers.get('ratelimit')).toMatch(/^"starts";r=2;/);
    for (const door of [two, one]) expect((await start(door)).status).toBe(422);
    for (const door of [one, two]) expect((await start(door)).body.code).toBe('rate_limited');
    // Reads go on.
    expect((await one.http.get('/v1/tasks', as('ada'))).status).toBe(200);
    // A body of which nothing has come.
    const { status } = await sendRaw(
      two.url,
      'POST /v1/tasks HTTP/1.1\r\nhost: localhost\r\nx-subject: ada\r\ncontent-type: application/json\r\ncontent-length: 1000000\r\nconnection: close\r\n\r\n',
    );
    expect(status).toBe(429);
    // No name stands in the table, and the sweep deletes what is over.
    const { rows } = await api.postgres.pool.query<{ key: string }>('select key from request_limits');
    expect(rows.map(({ key }) => key).join(' ')).toMatch(/^(tenant_)?starts:[\w-]{43} (tenant_)?starts:[\w-]{43}$/);
    await api.postgres.pool.query('update request_limits set expire = 1');
    const limits = createRequestLimits({ config: api.config, db: api.postgres.db, log: api.log });
    expect([await limits.removeExpired(1), await limits.removeExpired(10)]).toEqual([1, 1]);
  });

  test('that cost much are taken in batches, so that few of them write a row', async () => {
    const { http } = await open({ ALFRED_LIMIT_SEARCHES: 500 });
    for (let n = 0; n < 25; n++) expect((await http.post('/v1/search', as('bea'))).status).toBe(422);
    const { rows } = await api.postgres.pool.query<{ points: number }>(
      `select points from request_limits where key like 'searches:%'`,
    );
    expect(rows).toEqual([{ points: 30 }]);
    expect((await http.post('/v1/search', as('bea'))).headers.get('ratelimit')).toMatch(/^"searches";r=474;/);
  });

  test('are not refused because the database does not count; the process does', async () => {
    const gone = openPostgres({ ...api.config, DATABASE_URL: 'postgres://alfred@127.0.0.1:1/alfred' }, api.log);
    const config = { ...api.config, ALFRED_LIMIT_STARTS: 2 };
    const warnings: unknown[] = [];
    const log = { warn: (line: unknown) => void warnings.push(line) };
    const limits = createRequestLimits({ config, db: gone.db, log });
    const { http } = await open({}, { config, limits });
    const outcomes = [];
    for (let n = 0; n < 3; n++) outcomes.push((await http.post('/v1/tasks', as('dee'))).status);
    expect([outcomes, warnings.length]).toEqual([[422, 422, 429], 1]);
    await gone.close();
  });

  test('count for the address of the connection, which a header changes for trusted proxies only', async () => {
    const direct = await open({ ALFRED_LIMIT_ADDRESS: 2 });
    const proxied = await open({ ALFRED_LIMIT_ADDRESS: 2, ALFRED_TRUSTED_PROXIES: ['127.0.0.0/8'] });
    const ask = async ({ app }: Door, forwarded: string) =>
      (await app.inject({ url: '/v1/me', headers: { host: 'localhost', 'x-forwarded-for': forwarded } })).statusCode;
    // A stranger names another address each time.
    expect([
      await ask(direct, '203.0.113.1'),
      await ask(direct, '203.0.113.2'),
      await ask(direct, '203.0.113.3'),
    ]).toEqual([200, 200, 429]);
    expect([await ask(proxied, '203.0.113.1'), await ask(proxied, '203.0.113.2')]).toEqual([200, 200]);
    const forged = [await ask(proxied, '9.9.9.1, 203.0.113.1'), await ask(proxied, '9.9.9.2, 203.0.113.1')];
    expect(forged).toEqual([200, 429]);
    // A network of IPv6 is one address.
    const sixes = ['2001:db8::1', '2001:db8::2', '2001:db8::ffff:3'].map((address) => () => ask(proxied, address));
    const outcomes = [];
    for (const send of sixes) outcomes.push(await send());
    expect(outcomes).toEqual([200, 200, 429]);
  });

  test('are not limited without a sign-in and without settings', async () => {
    const { http } = await open();
    expect((await http.get('/v1/me')).headers.get('ratelimit')).toBeNull();
  });
});

describe('what is under way at once', () => {
  test('streams of a subject are bounded, and freed when a reader vanishes', async () => {
    const { url } = await open({ ALFRED_LIMIT_STREAMS: 1 });
    const { id } = await api.tasks.create(api.scope, { agent: 'knowledge', input: { text: 'A' } }, {});
    const follow = (signal?: AbortSignal) =>
      fetch(`${url}/v1/tasks/${id}/events`, { headers: { accept: 'text/event-stream' }, signal: signal ?? null });
    const reader = new AbortController();
    expect((await follow(reader.signal)).status).toBe(200);
    const refused = await follow();
    expect([refused.status, refused.headers.get('content-type')]).toEqual([
      429,
      'application/problem+json; charset=utf-8',
    ]);
    expect((await refused.json()) as object).toMatchObject({ code: 'too_many_streams' });
    expect(refused.headers.get('retry-after')).toBe('5');
    // A page of events is no stream.
    const page = await fetch(`${url}/v1/tasks/${id}/events/page`);
    expect([page.status, typeof (await page.text())]).toEqual([200, 'string']);
    reader.abort();
    const next = new AbortController();
    await until('the place is free', async () => {
      const response = await follow(next.signal);
      if (response.status !== 200) await response.text();
      return response.status === 200;
    });
    next.abort();
  });

  test('uploads of a subject are bounded before they are read, and freed when the sender vanishes', async () => {
    const { url, http } = await open({ ALFRED_LIMIT_CONCURRENT_UPLOADS: 1 });
    const vanish = begin(
      url,
      'POST /v1/documents HTTP/1.1\r\nhost: localhost\r\nx-subject: ada\r\ncontent-type: multipart/form-data; boundary=x\r\ncontent-length: 100000\r\n\r\n--x\r\n',
    );
    const send = async (subject: string) => (await http.post('/v1/documents', as(subject))).body.code;
    await until('the first upload is under way', async () => (await send('ada')) === 'too_many_uploads');
    expect(await send('ben')).toBe('invalid_request');
    vanish();
    await until('the place is free', async () => (await send('ada')) === 'invalid_request');
    // Those that were refused or failed left nothing behind.
    expect(await send('ada')).toBe('invalid_request');
  });
});

describe('every answer', () => {
  const securityOf = (headers: Headers) => [
    headers.get('x-content-type-options'),
    headers.get('referrer-policy'),
    headers.get('cross-origin-opener-policy'),
    headers.get('cross-origin-resource-policy'),
    /frame-ancestors 'none'/.test(headers.get('content-security-policy') ?? ''),
  ];
  const secured = ['nosniff', 'same-origin', 'same-origin', 'same-origin', true];

  test('has the security headers, and content is stored by no cache', async () => {
    const { url } = await open();
    const raw = (text: string) => sendRaw(url, `${text}\r\nconnection: close\r\n\r\n`);
    const get = (path: string) => `GET ${path} HTTP/1.1\r\nhost: localhost`;
    for (const [status, text] of [
      [200, get('/v1/me')],
      [200, get('/healthz')],
      [200, get('/openapi.json')],
      [404, get('/nothing')],
      [404, get('/v1/tasks/00000000-0000-0000-0000-000000000000')],
      [405, 'DELETE /v1/me HTTP/1.1\r\nhost: localhost'],
      [403, 'GET /v1/me HTTP/1.1\r\nhost: evil.example'],
      [302, get('/')],
      [400, get('/v1/%')],
      [400, 'no request'],
      [431, `${get('/v1/me')}\r\nx: ${'x'.repeat(20_000)}`],
      [400, `${get('/v1/me')}\r\n${Array.from({ length: 100 }, (_, n) => `x-${n}: 1`).join('\r\n')}`],
    ] as const) {
      const answer = await raw(text);
      expect([text.slice(0, 60), answer.status, ...securityOf(answer.headers)]).toEqual([
        text.slice(0, 60),
        status,
        ...secured,
      ]);
      expect(answer.headers.get('cache-control')).toBe('no-store');
      if (status >= 400) expect(JSON.parse(answer.body)).toMatchObject({ status, code: expect.any(String) });
    }
    for (const path of ['/docs', '/docs/static/index.html', '/docs/static/swagger-ui.css', '/docs/missing']) {
      const { headers } = await fetch(url + path);
      expect([path, ...securityOf(headers)]).toEqual([path, ...secured]);
      expect(headers.get('content-security-policy')).toMatch(/^default-src 'self'/);
    }
  });

  test('to a request that came by https through a trusted proxy says that only https counts', async () => {
    const { app } = await open({ ALFRED_TRUSTED_PROXIES: ['127.0.0.1'] });
    const hsts = async (more: object) =>
      (await app.inject({ url: '/healthz', headers: { host: 'localhost', 'x-forwarded-proto': 'https' }, ...more }))
        .headers['strict-transport-security'];
    expect([await hsts({}), await hsts({ remoteAddress: '203.0.113.1' })]).toEqual(['max-age=31536000', undefined]);
  });
});

describe('a page of another origin', () => {
  const console_ = 'https://console.example.com';
  const preflight = { 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization' };

  test('that is listed may use the API, errors included, without cookies', async () => {
    const { app } = await open({ ALFRED_CORS_ORIGINS: [console_] }, { identify: () => undefined });
    const ask = (method: 'GET' | 'OPTIONS', origin: string, headers: object = {}) =>
      app.inject({ method, url: '/v1/tasks', headers: { host: 'localhost', origin, ...headers } });
    const asked = await ask('OPTIONS', console_, preflight);
    expect([asked.statusCode, asked.body, asked.headers['access-control-allow-origin']]).toEqual([204, '', console_]);
    expect(asked.headers['access-control-allow-headers']).toMatch('Authorization');
    expect(asked.headers['access-control-allow-credentials']).toBeUndefined();
    const refused = await ask('GET', console_);
    expect([refused.statusCode, refused.headers['access-control-allow-origin'], refused.headers['vary']]).toEqual([
      401,
      console_,
      'Origin',
    ]);
    for (const origin of [`${console_}.evil.example`, 'http://console.example.com', `${console_}:8443`, 'null'])
      for (const [method, headers] of [['GET', {}] as const, ['OPTIONS', preflight] as const]) {
        const answer = await ask(method, origin, headers);
        expect([answer.statusCode, answer.headers['access-control-allow-origin']]).toEqual([403, undefined]);
      }
    const rebound = await ask('GET', console_, { host: 'evil.example' });
    expect(rebound.statusCode).toBe(403);
  });

  test('is refused when none is listed', async () => {
    const { app } = await open();
    const headers = { host: 'localhost', origin: console_, ...preflight };
    const answer = await app.inject({ method: 'OPTIONS', url: '/v1/tasks', headers });
    expect([answer.statusCode, answer.headers['access-control-allow-origin']]).toEqual([403, undefined]);
  });
});

describe('a connection', () => {
  test('whose request does not arrive in time is answered and closed', async () => {
    const { url } = await open({}, { arrival: { headersMs: 200, requestMs: 400, checkMs: 50 } });
    const slow = [
      'GET /v1/me HTTP/1.1\r\nhost: loc',
      'POST /v1/tasks HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 50\r\n\r\n{"a',
    ];
    for (const text of slow) {
      const { status, body } = await sendRaw(url, text);
      expect([status, JSON.parse(body).detail]).toEqual([408, 'The request did not arrive in time.']);
    }
  });

  test('beyond ALFRED_MAX_CONNECTIONS is closed', async () => {
    const { url, app } = await open({ ALFRED_MAX_CONNECTIONS: 1 }, {});
    app.server.closeAllConnections();
    const request = 'GET /health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n';
    await untilPasses('a connection is free', async () => expect((await sendRaw(url, request)).status).toBe(200));
    const end = begin(url, 'GET /health HTTP/1.1\r\n');
    await until(
      'the connection is there',
      () => new Promise<boolean>((resolve) => app.server.getConnections((_, n) => resolve(n === 1))),
    );
    expect((await sendRaw(url, request).catch(() => ({ status: NaN }))).status).toBeNaN();
    end();
  });
});
