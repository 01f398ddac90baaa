import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { hashSessionId } from '../../adapters/identity/seal.ts';
import { audience } from '../support/identity/oidc-server.ts';
import {
  createBrowserHarness,
  fromOurPage,
  sessionCookie,
  site,
  valueOf,
  withSession,
  type Headers,
} from './browser-harness.ts';
import { until } from '../support/until.ts';

type BrowserHarness = Awaited<ReturnType<typeof createBrowserHarness>>;
let browsers: BrowserHarness;
let oidc: BrowserHarness['oidc'];
let api: BrowserHarness['api'];
let send: BrowserHarness['send'];
let me: BrowserHarness['me'];
let rows: BrowserHarness['rows'];
let tokenRequests: BrowserHarness['tokenRequests'];
let begin: BrowserHarness['begin'];
let signIn: BrowserHarness['signIn'];
let due: BrowserHarness['due'];
beforeAll(async () => {
  browsers = await createBrowserHarness();
  ({ oidc, api, send, me, rows, tokenRequests, begin, signIn, due } = browsers);
});
afterAll(() => browsers?.close());

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
    `${attempt.replace(/=.*/, '=')}; Path=/; Max-Age=0; HttpOnly; SameSite=Lax; Secure`,
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
  for (const cookie of ['', attempt, other.attempt, attempt.replace(/=.*/, other.attempt.replace(/.*=/, '='))]) {
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

test('the page of the reference has a link to sign in, and the document for programs has none', async () => {
  const described = async (url: string) => (await send('GET', url)).body['info'] as { description: string };
  const link = '[Sign in](/auth/login?return=%2Fdocs)';
  expect((await described('/docs/json')).description).toContain(link);
  expect((await described('/openapi.json')).description).not.toContain('/auth/login');
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
  // No request of the person ended it, so it has no address.
  await until('the entry of a session that the provider ended', async () => (await endOf(last)).length > 0);
  expect([await endOf(last), await endOf(other)]).toEqual([['acme ada session session.end ok '], []]);
});

/** What the audit log has about the end of a session. */
const endOf = async (id: string) => {
  const { rows: entries } = await api.postgres.pool.query(
    'select tenant, subject, via, action, outcome, address from audit_entries where resource_id = $1',
    [hashSessionId(id).toString('hex').slice(0, 16)],
  );
  return entries.map((entry) => Object.values(entry as object).join(' '));
};

test('logout ends this session here and at the provider, and a new sign-in ends the one of before', async () => {
  await api.postgres.pool.query('delete from browser_sessions');
  const [first, second] = [(await signIn('ada')).id, (await signIn('ada')).id];
  expect((await send('POST', '/auth/logout', withSession(first))).status).toBe(403);
  expect(await me(first)).toEqual([200, 'ada']);
  const form = { ...withSession(first), ...fromOurPage, 'content-type': 'application/x-www-form-urlencoded' };
  const out = await send('POST', '/auth/logout', form, { payload: '' });
  expect([out.status, out.cookies]).toEqual([303, [expect.stringMatching(/^__Host-alfred-session=; .*Max-Age=0/)]]);
  const end = new URL(out.location);
  expect([end.origin, end.searchParams.get('post_logout_redirect_uri')]).toEqual([oidc.issuer, `${site}/`]);
  expect(end.searchParams.get('id_token_hint')).toMatch(/^eyJ/);
  expect([await me(first), await me(second)]).toEqual([
    [401, 'session_ended'],
    [200, 'ada'],
  ]);
  // An answer leaves when its entry is stored. Who signs out again signs out of nothing.
  await send('POST', '/auth/logout', form, { payload: '' });
  expect([await endOf(first), await endOf(second)]).toEqual([['acme ada session sign_out ok 127.0.0.1'], []]);
  const { attempt, callback } = await begin('bert');
  const cookie = `${attempt}; ${sessionCookie}=${second}`;
  const third = valueOf((await send('GET', callback, { cookie })).cookies, sessionCookie);
  expect([await me(second), await me(third)]).toEqual([
    [401, 'session_ended'],
    [200, 'bert'],
  ]);
  expect(await endOf(second)).toEqual(['acme ada session session.replace ok 127.0.0.1']);
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
        { payload: new URLSearchParams({ logout_token: token }).toString() },
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
  expect([await endOf(ada), await endOf(again)]).toEqual([['acme ada session session.end ok 127.0.0.1'], []]);
  const token = await logout({});
  expect(await send1(token)).toBe(200);
  expect(await endOf(again)).toEqual(['acme ada session session.end ok 127.0.0.1']);
  expect([await me(again), await me(bert)]).toEqual([
    [401, 'session_ended'],
    [200, 'bert'],
  ]);
  // The token again, when the person has signed in since.
  const since = (await signIn('ada')).id;
  expect(await send1(token)).toBe(400);
  expect(await me(since)).toEqual([200, 'ada']);
});
