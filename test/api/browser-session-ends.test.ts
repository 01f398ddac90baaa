import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import {
  attemptIn,
  createBrowserHarness,
  fromOurPage,
  sessionCookie,
  valueOf,
  withSession,
} from './browser-harness.ts';

type BrowserHarness = Awaited<ReturnType<typeof createBrowserHarness>>;
let browsers: BrowserHarness;
let people: BrowserHarness['people'];
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
  ({ people, oidc, api, send, me, rows, tokenRequests, begin, signIn, due } = browsers);
});
afterAll(() => browsers?.close());

test('a stream ends when the token of its session is refused or names other roles, and keeps no idle session alive', async () => {
  await api.postgres.pool.query('delete from browser_sessions');
  const { id } = await signIn('ada');
  const browser = api.browserSignIn;
  if (!browser) throw new Error('People do not sign in by browser here.');
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

test('tabs that begin to sign in one after the other all end it, in any order; an answer for another attempt uses up none', async () => {
  const tabs = [await begin('ada', '/one'), await begin('ada', '/two'), await begin('ada', '/three')];
  const all = () => tabs.map(({ attempt }) => attempt).join('; ');
  const [one, two, three] = tabs as [(typeof tabs)[0], (typeof tabs)[0], (typeof tabs)[0]];
  // A page of another site sends the browser back with an attempt of its own, or with none.
  const foreign = (await begin('bert')).callback;
  for (const answer of [foreign, foreign.replace(/state=[^&]+/, ''), `${two.callback}&state=x`]) {
    const refused = await send('GET', answer, { cookie: all() });
    expect([refused.body['code'], refused.cookies]).toEqual(['sign_in_failed', []]);
  }
  // The attempt of one tab under the name of another: its state is not that of the answer, and it is not used up.
  const swapped = `${one.attempt.replace(/=.*/, '')}=${two.attempt.replace(/.*=/, '')}`;
  expect((await send('GET', one.callback, { cookie: swapped })).body['code']).toBe('sign_in_failed');
  for (const [tab, path] of [
    [two, '/two'],
    [three, '/three'],
    [one, '/one'],
  ] as const) {
    const { status, location, cookies } = await send('GET', tab.callback, { cookie: all() });
    expect([status, location]).toEqual([303, path]);
    expect(cookies[0]).toBe(`${tab.attempt.replace(/=.*/, '=')}; Path=/; Max-Age=0; HttpOnly; SameSite=Lax; Secure`);
  }
});

test('a browser keeps its last attempts, as many as fit into the headers of a request', async () => {
  let cookie = '';
  for (let count = 0; count < 12; count += 1) {
    const path = `/${'x'.repeat(count < 8 ? 499 : 10)}`;
    const { cookies, status } = await send('GET', `/auth/login?return=${path}`, { cookie });
    expect(status).toBe(303);
    const removed = cookies.filter((line) => line.includes('Max-Age=0')).map((line) => line.replace(/=.*/, '='));
    const kept = cookie.split('; ').filter((one) => one !== '' && !removed.some((name) => one.startsWith(name)));
    expect(kept.every((one, at) => cookie.split('; ').slice(-kept.length)[at] === one)).toBe(true);
    cookie = [...kept, attemptIn(cookies)].join('; ');
    expect(cookie.length).toBeLessThan(9_500);
  }
  expect(cookie.split('; ')).toHaveLength(5);
});

test('an attempt is redeemed once, however often its address is opened; one address opens 60 a minute', async () => {
  const { attempt, callback } = await begin('ada');
  const cookie = attempt;
  const wrong = callback.replace(/code=[^&]+/, 'code=wrong');
  const before = tokenRequests();
  const open = async (address: string) => (await send('GET', wrong, { cookie }, { from: address })).body['code'];
  const codes = await Promise.all(Array.from({ length: 62 }, () => open('203.0.113.7')));
  expect(codes).toEqual([...Array<string>(60).fill('sign_in_failed'), 'rate_limited', 'rate_limited']);
  expect(tokenRequests() - before).toBe(1);
  // Others sign in, and the provider ends sessions, meanwhile.
  expect(await open('203.0.113.8')).toBe('sign_in_failed');
  const logout = { 'content-type': 'application/x-www-form-urlencoded' };
  expect(
    (await send('POST', '/auth/backchannel-logout', logout, { payload: 'logout_token=x', from: '203.0.113.7' })).status,
  ).toBe(400);
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

test('the provider takes the refresh token of an ended session back; rows of ended sessions are swept', async () => {
  await api.postgres.pool.query('delete from browser_sessions');
  const revocations = () => oidc.requests.filter((url) => url === '/token/revocation').length;
  const form = (id: string) => ({
    ...withSession(id),
    ...fromOurPage,
    'content-type': 'application/x-www-form-urlencoded',
  });
  const [first, second] = [(await signIn('ada')).id, (await signIn('ada')).id];
  expect((await send('POST', '/auth/logout', form(first), { payload: '' })).status).toBe(303);
  expect(revocations()).toBe(1);
  // The same person signs in again in this browser, and then another one.
  const signInOver = async (subject: string, before: string) => {
    const { attempt, callback } = await begin(subject);
    const cookie = `${attempt}; ${sessionCookie}=${before}`;
    return valueOf((await send('GET', callback, { cookie })).cookies, sessionCookie);
  };
  const third = await signInOver('ada', second);
  expect([revocations(), await me(third)]).toEqual([1, [200, 'ada']]);
  const fourth = await signInOver('bert', third);
  expect([revocations(), await me(fourth)]).toEqual([2, [200, 'bert']]);
  // A provider that is away keeps no person signed in here.
  oidc.shut();
  expect((await send('POST', '/auth/logout', form(fourth), { payload: '' })).status).toBe(303);
  oidc.open();
  expect(await rows()).toEqual([]);

  const kept = (await signIn('ada')).id;
  await api.postgres.pool.query(`
    insert into browser_sessions (id_hash, issuer, sub, tokens, refresh_at, used_at, ends_at)
    select sha256(n::text::bytea), 'i', 's', '', now(), now() - interval '2 hours' * (n % 2), now() + interval '1 hour' * (n % 2)
    from generate_series(1, 6) n`);
  await api.postgres.pool.query(`
    insert into used_logout_tokens (issuer, jti, expires_at)
    select 'i', n::text, now() - interval '1 hour' from generate_series(1, 2) n
    union all select 'i', 'counts', now()`);
  const removeEnded = (limit: number) => api.browserSessions.removeEnded(limit);
  expect([await removeEnded(4), await removeEnded(4), await removeEnded(4)]).toEqual([4, 2, 0]);
  expect([(await rows()).length, await me(kept)]).toEqual([1, [200, 'ada']]);
  const tokens = await api.postgres.pool.query("select jti from used_logout_tokens where issuer = 'i'");
  expect(tokens.rows).toEqual([{ jti: 'counts' }]);
});

test('the session of before ends with the next sign-in, or the browser keeps it and gets no other one', async () => {
  await api.postgres.pool.query('delete from browser_sessions');
  const { id: first } = await signIn('ada');
  const over = async () => {
    const { attempt, callback } = await begin('bert');
    return send('GET', callback, { cookie: `${attempt}; ${sessionCookie}=${first}` });
  };
  await api.postgres.pool.query(`
    create function refuse_end() returns trigger language plpgsql as
      $$ begin raise exception 'the server stops' using errcode = '57P01'; end $$;
    create trigger refuse_end before delete on browser_sessions for each row execute function refuse_end()`);
  const failed = await over();
  await api.postgres.pool.query('drop function refuse_end cascade');
  expect([failed.status, failed.body['code'], valueOf(failed.cookies, sessionCookie)]).toEqual([
    503,
    'database_unavailable',
    '',
  ]);
  expect(await me(first)).toEqual([200, 'ada']);
  const next = valueOf((await over()).cookies, sessionCookie);
  expect([await me(first), await me(next)]).toEqual([
    [401, 'session_ended'],
    [200, 'bert'],
  ]);
});
