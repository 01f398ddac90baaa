import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { audience, startOidcServer, type OidcServer } from '../support/identity/oidc-server.ts';
import { createApiHarness, type ApiHarness } from './api-harness.ts';

const site = 'https://alfred.example.com';
const sessionCookie = '__Host-alfred-session';
const people = { ada: { roles: ['developer'], groups: ['staff'] }, bert: { roles: [] } };
let oidc: OidcServer;
let api: ApiHarness;
beforeAll(async () => {
  oidc = await startOidcServer(people);
  api = await createApiHarness({
    OIDC_ISSUER: oidc.issuer,
    OIDC_AUDIENCE: audience,
    OIDC_TENANT: 'acme',
    OIDC_CLIENT_ID: 'web',
    OIDC_CLIENT_SECRET: 'a secret of the pages, which is long enough',
    ALFRED_PUBLIC_URL: site,
    ALFRED_API_HOSTS: 'alfred.example.com',
    ALFRED_SESSION_KEY: randomBytes(32).toString('base64'),
  });
});
afterAll(async () => {
  await api?.close();
  await oidc?.close();
});

type Headers = Record<string, string>;
type Method = 'GET' | 'POST' | 'DELETE';
/** A request as the proxy at `site` passes it on. */
async function send(method: Method, url: string, headers: Headers = {}, payload?: string, remoteAddress?: string) {
  const response = await api.app.inject({
    method,
    url,
    ...(remoteAddress !== undefined && { remoteAddress }),
    headers: { host: 'alfred.example.com', ...headers },
    ...(payload !== undefined && { payload }),
  });
  const cookies = [response.headers['set-cookie'] ?? []].flat();
  return {
    status: response.statusCode,
    location: String(response.headers.location ?? ''),
    cookies,
    body: response.headers['content-type']?.toString().includes('json') ? response.json<Record<string, unknown>>() : {},
  };
}
const valueOf = (cookies: string[], name: string) =>
  cookies.map((line) => new RegExp(`^${name}=([^;]+)`).exec(line)?.[1]).find((value) => value !== undefined) ?? '';
const withSession = (id: string): Headers => ({ cookie: `${sessionCookie}=${id}` });
const fromOurPage: Headers = { origin: site, 'sec-fetch-site': 'same-origin' };
const me = async (id: string) => {
  const { status, body } = await send('GET', '/v1/me', withSession(id));
  return [status, body['code'] ?? body['subject']];
};
const rows = async () => (await api.postgres.pool.query('select * from browser_sessions')).rows as { sid: string }[];
const tokenRequests = () => oidc.requests.filter((url) => url === '/token').length;

/** Up to the moment when the provider sends the browser back. */
async function begin(subject: string, returnTo = '/docs') {
  const begun = await send('GET', `/auth/login?return=${encodeURIComponent(returnTo)}`);
  const attempt = valueOf(begun.cookies, '__Host-alfred-sign-in');
  const back = await oidc.followTo(begun.location, `${site}/auth/callback`, subject);
  return { begun, attempt, callback: back.slice(site.length) };
}
async function signIn(subject: string, returnTo?: string) {
  const { begun, attempt, callback } = await begin(subject, returnTo);
  const ended = await send('GET', callback, { cookie: `__Host-alfred-sign-in=${attempt}` });
  return { begun, ended, attempt, callback, id: valueOf(ended.cookies, sessionCookie) };
}

test('a person signs in with PKCE, state and nonce; the browser keeps an id, and the database no secret in the clear', async () => {
  const { begun, ended, attempt, callback, id } = await signIn('ada', '/docs?x=1');
  expect(Object.fromEntries(new URL(begun.location).searchParams)).toMatchObject({
    client_id: 'web',
    response_type: 'code',
    redirect_uri: `${site}/auth/callback`,
    code_challenge_method: 'S256',
    state: expect.stringMatching(/.{40}/),
    nonce: expect.stringMatching(/.{40}/),
    resource: audience,
  });
  expect(begun.cookies).toEqual([expect.stringMatching(/; Path=\/; Max-Age=600; HttpOnly; SameSite=Lax; Secure$/)]);
  expect([ended.status, ended.location]).toEqual([303, '/docs?x=1']);
  expect(ended.cookies).toEqual([
    '__Host-alfred-sign-in=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax; Secure',
    `${sessionCookie}=${id}; Path=/; Max-Age=43200; HttpOnly; SameSite=Lax; Secure`,
  ]);
  expect((await send('GET', '/v1/me', withSession(id))).body).toMatchObject({
    tenant: 'acme',
    subject: 'ada',
    roles: ['developer'],
    groups: ['staff'],
    via: 'session',
  });
  const stored = (await api.postgres.pool.query('select row_to_json(s)::text, tokens from browser_sessions s'))
    .rows as {
    row_to_json: string;
    tokens: Buffer;
  }[];
  expect(stored[0]?.row_to_json).not.toContain(id);
  expect(stored[0]?.tokens.toString('latin1')).not.toMatch(/eyJ|refreshToken/);

  // The same address again, without the attempt, or with that of another browser.
  const other = await begin('bert');
  for (const cookie of ['', `__Host-alfred-sign-in=${attempt}`, `__Host-alfred-sign-in=${other.attempt}`]) {
    const again = await send('GET', callback, { cookie });
    expect([again.status, again.body['code'], valueOf(again.cookies, sessionCookie)]).toEqual([
      401,
      'sign_in_failed',
      '',
    ]);
  }
  const elsewhere = await send('GET', '/auth/login?return=/x', { host: `127.0.0.1:${new URL(api.url).port}` });
  expect([elsewhere.status, elsewhere.location]).toEqual([303, `${site}/auth/login?return=%2Fx`]);
  expect((await signIn('ada', 'https://evil.example/')).ended.location).toBe('/');
});

test('a request of another page is refused, with any headers that it can send', async () => {
  const { id } = await signIn('ada');
  const remove = async (headers: Headers) =>
    (await send('DELETE', '/v1/tasks/0199c7a2-6f1e-7c3a-9d55-0a4f3b2c1d10', { ...withSession(id), ...headers })).status;
  expect(await remove(fromOurPage)).toBe(404);
  expect(await remove({ origin: site, 'x-alfred-request': '1' })).toBe(404);
  for (const headers of [
    {},
    { origin: site },
    { 'x-alfred-request': '1' },
    { 'sec-fetch-site': 'same-origin' },
    { origin: 'null', 'x-alfred-request': '1' },
    { origin: 'https://evil.example', 'x-alfred-request': '1' },
    { origin: site, 'sec-fetch-site': 'cross-site', 'x-alfred-request': '1' },
    { origin: site, 'sec-fetch-site': 'same-site', 'x-alfred-request': '1' },
  ] as Headers[])
    expect([headers, await remove(headers)]).toEqual([headers, 403]);
  const read = await send('GET', '/v1/me', { ...withSession(id), 'sec-fetch-site': 'cross-site' });
  expect(read.status).toBe(403);
  // A token in the header counts before the cookie, and needs none of this.
  const authorization = `Bearer ${(await oidc.signIn('bert')).access}`;
  expect((await send('GET', '/v1/me', { ...withSession(id), authorization })).body).toMatchObject({
    subject: 'bert',
    via: 'oidc',
  });
  // Another host of the domain can set a cookie without the prefix.
  expect((await send('GET', '/v1/me', { cookie: `alfred-session=${id}` })).body['code']).toBe('token_missing');
  // Two cookies of one name: another application of the domain may have set one.
  expect((await send('GET', '/v1/me', { cookie: `${sessionCookie}=a; ${sessionCookie}=${id}` })).body['code']).toBe(
    'token_missing',
  );
  expect(await me(randomBytes(32).toString('base64url'))).toEqual([401, 'session_ended']);
});

test('tokens are refreshed by one request of many; the session ends when the provider says so, or after its time', async () => {
  await api.postgres.pool.query('delete from browser_sessions');
  const { id } = await signIn('ada');
  const due = () => api.postgres.pool.query("update browser_sessions set refresh_at = now() - interval '1 second'");
  await due();
  const before = tokenRequests();
  expect(await Promise.all(Array.from({ length: 8 }, () => me(id)))).toEqual(Array(8).fill([200, 'ada']));
  expect(tokenRequests() - before).toBe(1);
  // The provider is away: the token at hand counts, and the next request asks again.
  oidc.shut();
  await due();
  expect(await me(id)).toEqual([200, 'ada']);
  oidc.open();

  await api.postgres.pool.query("update browser_sessions set used_at = now() - interval '61 minutes'");
  expect(await me(id)).toEqual([401, 'session_ended']);
  const other = (await signIn('ada')).id;
  // What has ended went with the sign-in.
  expect(await rows()).toHaveLength(1);
  await api.postgres.pool.query('update browser_sessions set ends_at = now()');
  expect(await me(other)).toEqual([401, 'session_ended']);

  const last = (await signIn('ada')).id;
  await oidc.endGrants();
  await due();
  expect(await me(last)).toEqual([401, 'session_ended']);
  expect(await rows()).toEqual([]);
});

test('logout ends this session here and at the provider, and a new sign-in ends the one of before', async () => {
  await api.postgres.pool.query('delete from browser_sessions');
  const [first, second] = [(await signIn('ada')).id, (await signIn('ada')).id];
  expect((await send('POST', '/auth/logout', withSession(first))).status).toBe(403);
  expect(await me(first)).toEqual([200, 'ada']);
  const form = { ...withSession(first), ...fromOurPage, 'content-type': 'application/x-www-form-urlencoded' };
  const out = await send('POST', '/auth/logout', form, '');
  expect([out.status, out.cookies]).toEqual([303, [expect.stringMatching(/^__Host-alfred-session=; .*Max-Age=0/)]]);
  const end = new URL(out.location);
  expect([end.origin, end.searchParams.get('post_logout_redirect_uri')]).toEqual([oidc.issuer, `${site}/`]);
  expect(end.searchParams.get('id_token_hint')).toMatch(/^eyJ/);
  expect([await me(first), await me(second)]).toEqual([
    [401, 'session_ended'],
    [200, 'ada'],
  ]);
  const { attempt, callback } = await begin('bert');
  const cookie = `__Host-alfred-sign-in=${attempt}; ${sessionCookie}=${second}`;
  const third = valueOf((await send('GET', callback, { cookie })).cookies, sessionCookie);
  expect([await me(second), await me(third)]).toEqual([
    [401, 'session_ended'],
    [200, 'bert'],
  ]);
});

test('a logout token of the provider ends what it names, once, and no other token does', async () => {
  await api.postgres.pool.query('delete from browser_sessions');
  const [ada, again, bert] = [(await signIn('ada')).id, (await signIn('ada')).id, (await signIn('bert')).id];
  const now = () => Math.floor(Date.now() / 1_000);
  const logout = (changes: object = {}, header: object = {}) =>
    oidc.sign(
      {
        aud: 'web',
        jti: randomBytes(8).toString('hex'),
        exp: now() + 120,
        events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
        tenant: undefined,
        ...changes,
      },
      { typ: 'logout+jwt', ...header },
    );
  const send1 = async (token: string) =>
    (
      await send(
        'POST',
        '/auth/backchannel-logout',
        { 'content-type': 'application/x-www-form-urlencoded' },
        new URLSearchParams({ logout_token: token }).toString(),
      )
    ).status;
  const refused: [string, object, object?][] = [
    ['another audience', { aud: audience }],
    ['another issuer', { iss: 'https://evil.example' }],
    ['an ID token', { nonce: 'n', events: undefined }],
    ['a nonce', { nonce: 'n' }],
    ['no event', { events: {} }],
    ['no jti', { jti: undefined }],
    ['neither sub nor sid', { sub: undefined }],
    ['no end', { exp: undefined }],
    ['an end that is over', { exp: now() - 60 }],
    ['an issue long ago', { iat: now() - 900 }],
    ['the type of an access token', {}, { typ: 'at+jwt' }],
  ];
  for (const [what, changes, header] of refused)
    expect([what, await send1(await logout(changes, header))]).toEqual([what, 400]);
  expect(await send1('no token')).toBe(400);
  expect((await rows()).length).toBe(3);

  await api.postgres.pool.query('update browser_sessions set sid = $1 where id_hash = sha256($2)', ['s-1', ada]);
  expect(await send1(await logout({ sid: 's-1' }))).toBe(200);
  expect([await me(ada), await me(again)]).toEqual([
    [401, 'session_ended'],
    [200, 'ada'],
  ]);
  const token = await logout({});
  expect(await send1(token)).toBe(200);
  expect([await me(again), await me(bert)]).toEqual([
    [401, 'session_ended'],
    [200, 'bert'],
  ]);
  // The token again, when the person has signed in since.
  const since = (await signIn('ada')).id;
  expect(await send1(token)).toBe(400);
  expect(await me(since)).toEqual([200, 'ada']);
});

test('a stream ends when the token of its session is refused or names other roles, and keeps no idle session alive', async () => {
  await api.postgres.pool.query('delete from browser_sessions');
  const { id } = await signIn('ada');
  const browser = api.browserSignIn;
  if (!browser) throw new Error('People do not sign in by browser here.');
  const due = () => api.postgres.pool.query("update browser_sessions set refresh_at = now() - interval '1 second'");
  const rightsOfAda = async () =>
    (
      await api.postgres.pool.query(`
        select roles, array(select group_name from group_members m where m.subject = s.subject) as groups
        from subjects s where subject = 'ada'`)
    ).rows;
  const stream = await browser.identify(id);
  expect(await stream.isStillGood?.()).toBe(true);

  await api.postgres.pool.query("update browser_sessions set used_at = now() - interval '59 minutes'");
  expect(await stream.isStillGood?.()).toBe(true);
  const idle = await api.postgres.pool.query(
    "select from browser_sessions where used_at < now() - interval '58 minutes'",
  );
  expect(idle.rowCount).toBe(1);
  expect(await me(id)).toEqual([200, 'ada']);

  people.ada.groups = ['board'];
  await due();
  expect(await stream.isStillGood?.()).toBe(true);
  expect(await rightsOfAda()).toEqual([{ roles: ['developer'], groups: ['board'] }]);
  people.ada.roles = ['viewer'];
  await due();
  expect(await stream.isStillGood?.()).toBe(false);
  expect(await rightsOfAda()).toEqual([{ roles: ['viewer'], groups: ['board'] }]);
  Object.assign(people.ada, { roles: ['developer'], groups: ['staff'] });

  const other = await browser.identify((await signIn('ada')).id);
  // A database or a provider that is away ends no stream.
  await due();
  oidc.shut();
  expect(await other.isStillGood?.()).toBe(true);
  oidc.open();
  // A fresh token that counts for nothing here.
  Object.assign(people.ada, { roles: 7 });
  await due();
  expect(await other.isStillGood?.()).toBe(false);
  Object.assign(people.ada, { roles: ['developer'] });
});

test('an attempt is redeemed once, however often its address is opened; one address opens 60 a minute', async () => {
  const { attempt, callback } = await begin('ada');
  const cookie = `__Host-alfred-sign-in=${attempt}`;
  const wrong = callback.replace(/code=[^&]+/, 'code=wrong');
  const before = tokenRequests();
  const open = async (address: string) => (await send('GET', wrong, { cookie }, undefined, address)).body['code'];
  const codes = await Promise.all(Array.from({ length: 62 }, () => open('203.0.113.7')));
  expect(codes).toEqual([...Array<string>(60).fill('sign_in_failed'), 'rate_limited', 'rate_limited']);
  expect(tokenRequests() - before).toBe(1);
  // Others sign in, and the provider ends sessions, meanwhile.
  expect(await open('203.0.113.8')).toBe('sign_in_failed');
  const logout = { 'content-type': 'application/x-www-form-urlencoded' };
  expect((await send('POST', '/auth/backchannel-logout', logout, 'logout_token=x', '203.0.113.7')).status).toBe(400);
});

test('made-up sessions take few connections of the database; those in use are read meanwhile, and a wrong form is not', async () => {
  const { id } = await signIn('ada');
  const lock = await api.postgres.pool.connect();
  try {
    expect(await me('x'.repeat(42))).toEqual([401, 'session_ended']);
    await lock.query('begin');
    await lock.query('lock table browser_sessions');
    const madeUp = Array.from({ length: 20 }, () => me(randomBytes(32).toString('base64url')));
    const wrongForms = await Promise.all(['x', 'x'.repeat(42), 'x'.repeat(44)].map(me));
    expect(wrongForms).toEqual(Array(3).fill([401, 'session_ended']));
    const inUse = me(id);
    const refused = await Promise.any(madeUp);
    expect(refused).toEqual([503, 'identity_unavailable']);
    await lock.query('rollback');
    expect((await Promise.all(madeUp)).filter(([status]) => status === 401)).toHaveLength(4);
    expect(await inUse).toEqual([200, 'ada']);
  } finally {
    lock.release(true);
  }
});
