import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Readiness } from '../../contract/health.ts';
import { createApiHarness, startApi, type ApiHarness } from './api-harness.ts';
import { sendRaw } from './send-raw.ts';
import { signedIn } from '../support/principals.ts';

let api: ApiHarness;
beforeAll(async () => {
  api = await createApiHarness();
});
afterAll(() => api?.close());

const withHost = async (host: string, more = '') => {
  const { status, headers, body } = await sendRaw(
    api.url,
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
      ALFRED_ALLOW_UNAUTHENTICATED_NETWORK: true,
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
      // A load balancer knows the address only.
      for (const [url, status] of [
        ['/healthz', 200],
        ['/health', 200],
        ['/metrics', 403],
      ] as const)
        expect((await app.inject({ url, headers: { host: '10.0.0.7:8080' } })).statusCode).toBe(status);
      expect(await statusOf({ host: 'alfred.example', origin: 'https://alfred.example' })).toBe(200);
      expect(await statusOf({ host: '127.0.0.1:8080', origin: 'http://api:8080' })).toBe(403);
    } finally {
      await app.close();
    }
  });

  test('what is wrong with a dependency is told to listed hosts only, and its state to all', async () => {
    const detail = 'password authentication failed for user "alfred"';
    const { app, readiness } = await startApi(api, { config: { ...api.config, ALFRED_API_HOSTS: ['api:8080'] } });
    readiness.require('postgres', () => Promise.reject(new Error(detail)));
    const dependenciesFor = async (host: string) =>
      (JSON.parse((await app.inject({ url: '/healthz', headers: { host } })).body) as Readiness).dependencies;
    try {
      for (const host of ['localhost', 'api:8080'])
        expect(await dependenciesFor(host)).toMatchObject({ postgres: { status: 'down', detail } });
      for (const host of ['10.0.0.7:8080', 'rebound.example'])
        expect(await dependenciesFor(host)).toEqual({ postgres: { status: 'down' } });
    } finally {
      await app.close();
    }
  });

  test('with sign-in, details and metrics are told by the connection or a sign-in, and not by the Host', async () => {
    const config = {
      ...api.config,
      OIDC_ISSUER: [{ issuer: 'https://id.example.com' }],
      ALFRED_API_HOSTS: ['api:8080'],
    };
    const { app, readiness } = await startApi(api, {
      config,
      identify: ({ authorization }) => (authorization === 'Bearer good' ? signedIn('ada') : undefined),
    });
    readiness.require('postgres', () => Promise.reject(new Error('of the operator')));
    const seenBy = async (remoteAddress: string, headers: Record<string, string> = {}) => {
      const ask = (url: string) => app.inject({ url, remoteAddress, headers: { host: 'api:8080', ...headers } });
      return [(await ask('/healthz')).body.includes('of the operator'), (await ask('/metrics')).statusCode];
    };
    const local = { host: 'localhost:8080' };
    try {
      expect(await seenBy('127.0.0.1', local)).toEqual([true, 200]);
      expect(await seenBy('203.0.113.9', local)).toEqual([false, 401]);
      expect(await seenBy('127.0.0.1', { ...local, 'x-forwarded-for': '203.0.113.9' })).toEqual([false, 401]);
      // Prometheus in the network of the containers.
      for (const address of ['172.18.0.5', '::ffff:172.18.0.5', 'fd00::5'])
        expect(await seenBy(address)).toEqual([false, 200]);
      expect(await seenBy('203.0.113.9', { authorization: 'Bearer good' })).toEqual([true, 200]);
      expect(await seenBy('203.0.113.9', { authorization: 'Bearer bad' })).toEqual([false, 401]);
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
    for (const signIn of [undefined, signedIn('ada', { tenant: '' }), signedIn('')]) {
      const { app } = await startApi(api, { identify: () => signIn });
      const { statusCode, body } = await app.inject({ url: '/v1/tasks', headers: { host } });
      expect([statusCode, JSON.parse(body).code]).toEqual([401, 'unauthenticated']);
      expect((await app.inject({ url: '/%761/agents', headers: { host } })).statusCode).toBe(401);
      expect((await app.inject({ url: '/healthz', headers: { host } })).statusCode).toBe(200);
      await app.close();
    }
  });

  test('is asked once a request', async () => {
    let asked = 0;
    const { app } = await startApi(api, {
      identify: async () => signedIn(`user-${++asked}`),
    });
    expect((await app.inject({ url: '/v1/tasks', headers: { host } })).statusCode).toBe(200);
    expect(asked).toBe(1);
    await app.close();
  });

  test('that sends a role named * gives its sender no other role', async () => {
    const { app } = await startApi(api, { identify: () => signedIn('ada', { roles: ['*', 'clerk'] }) });
    const { statusCode, body } = await app.inject({
      method: 'POST',
      url: '/v1/tasks',
      headers: { host },
      payload: { agent: 'knowledge', input: { text: 'Who approves expenses?' } },
    });
    expect(statusCode).toBe(202);
    const { roles, principal } = await api.postgres.db
      .selectFrom('tasks')
      .select(['roles', 'principal'])
      .where('id', '=', JSON.parse(body).id)
      .executeTakeFirstOrThrow();
    expect(roles).toEqual(['clerk']);
    expect(principal).toEqual({ kind: 'person', roles: ['clerk'], scopes: [], via: 'oidc' });
    await app.close();
  });
});
