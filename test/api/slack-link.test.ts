import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { hashSlackLinkCode, hashSlackLinkDigits } from '../../runtime/slack-link-code.ts';
import { createBrowserHarness, fromOurPage, site, withSession, type Headers } from './browser-harness.ts';

let browsers: Awaited<ReturnType<typeof createBrowserHarness>>;
let ada: string;
let bert: string;
beforeAll(async () => {
  browsers = await createBrowserHarness();
  ada = (await browsers.signIn('ada')).id;
  bert = (await browsers.signIn('bert')).id;
});
afterAll(() => browsers?.close());

let code: string;
const request = { team: 'T1', userId: 'U1', tenant: 'acme', userName: 'Ada <b>L</b> (@ada)', workspace: 'Acme' };
const begin = (more: Partial<typeof request> = {}, lastsMs = 600_000) =>
  browsers.api.slackLinking.begin({ ...request, ...more }, hashSlackLinkCode(code), lastsMs);
beforeEach(async () => {
  await browsers.api.postgres.pool.query('delete from slack_link_codes; delete from slack_links');
  code = randomBytes(32).toString('base64url');
});

/** What a browser gets of the page. */
async function send(method: 'GET' | 'POST', headers: Headers, given = code) {
  const answer = await browsers.api.app.inject({
    method,
    url: method === 'GET' ? `/auth/slack?code=${given}` : '/auth/slack',
    headers: {
      host: 'alfred.example.com',
      ...(method === 'POST' && { 'content-type': 'application/x-www-form-urlencoded' }),
      ...headers,
    },
    ...(method === 'POST' && { payload: `code=${encodeURIComponent(given)}` }),
  });
  return { status: answer.statusCode, headers: answer.headers, text: answer.body };
}
const confirm = (session: string, given = code) => send('POST', { ...withSession(session), ...fromOurPage }, given);
const digitsIn = (text: string) => /\/alfred link (\d{4}) (\d{4})/.exec(text)?.slice(1).join('') ?? '';
const finish = (digits: string, userId = 'U1', team = 'T1') =>
  browsers.api.slackLinking.finish(team, userId, hashSlackLinkDigits(team, userId, digits));
const links = async () =>
  (await browsers.api.postgres.pool.query('select team, user_id, tenant, subject from slack_links')).rows;

test('a person who is signed in reads who asks, confirms, and is shown what the Slack user must bring', async () => {
  await begin();
  const page = await send('GET', withSession(ada));
  expect(page.status).toBe(200);
  expect(page.text).toContain('Ada &lt;b&gt;L&lt;/b&gt; (@ada)');
  expect(page.text).toContain('workspace <strong>Acme</strong>');
  expect(page.text).toContain('to you, <strong>ada</strong>?');
  const confirmed = await confirm(ada);
  expect(confirmed.status).toBe(200);
  expect(await links()).toEqual([]);
  expect(await finish(digitsIn(confirmed.text))).toEqual({ linked: { tenant: 'acme', subject: 'ada' } });
  expect(await links()).toEqual([{ team: 'T1', user_id: 'U1', tenant: 'acme', subject: 'ada' }]);
  expect(await finish(digitsIn(confirmed.text))).toBe('none');
});

test('neither code nor digits are stored', async () => {
  await begin();
  const { text } = await confirm(ada);
  const { rows } = await browsers.api.postgres.pool.query(
    'select row_to_json(c)::text as text from slack_link_codes c',
  );
  expect(rows).toHaveLength(1);
  expect(rows[0].text).not.toContain(code);
  expect(rows[0].text).not.toContain(digitsIn(text));
});

test('without a sign-in it leads to the sign-in, and back', async () => {
  await begin();
  const answer = await send('GET', {});
  expect([answer.status, answer.headers.location]).toEqual([
    303,
    `/auth/login?return=${encodeURIComponent(`/auth/slack?code=${code}`)}`,
  ]);
});

test('who follows the address from another site goes through a page of ours, which shows nothing', async () => {
  await begin();
  const page = await send('GET', { ...withSession(ada), 'sec-fetch-site': 'cross-site' });
  expect(page.status).toBe(200);
  expect(page.text).toContain(`content="0;url=/auth/slack?code=${code}"`);
  expect(page.text).not.toMatch(/Ada|ada</);
});

test('no other site can frame the page, run something in it or make its form lead elsewhere', async () => {
  await begin();
  for (const answer of [await send('GET', withSession(ada)), await confirm(ada)]) {
    expect(answer.headers['content-security-policy']).toMatch(
      /^default-src 'none'; style-src 'sha256-[^']+'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'$/,
    );
    expect(answer.headers).toMatchObject({
      'x-frame-options': 'DENY',
      'cache-control': 'no-store',
      'referrer-policy': 'same-origin',
      'x-content-type-options': 'nosniff',
    });
    expect(answer.text).not.toContain('<script');
    const style = createHash('sha256')
      .update(/<style>(.*)<\/style>/s.exec(answer.text)?.[1] ?? '')
      .digest('base64');
    expect(answer.headers['content-security-policy']).toContain(`'sha256-${style}'`);
  }
});

test.each<[string, Headers]>([
  ['a page of another site', { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }],
  ['a page of a neighbour', { origin: 'https://other.example.com', 'sec-fetch-site': 'same-site' }],
  ['a page without an origin', { origin: 'null', 'sec-fetch-site': 'cross-site' }],
  ['a form of an old browser', { origin: site }],
  ['no page', {}],
])('%s confirms nothing', async (_, headers) => {
  await begin();
  const answer = await send('POST', { ...withSession(ada), ...headers });
  expect(answer.status).toBe(403);
  expect((await confirm(ada)).status).toBe(200);
});

test('an address counts once', async () => {
  await begin();
  const [first, second] = await Promise.all([confirm(ada), confirm(bert)]);
  expect([first.status, second.status].toSorted()).toEqual([200, 404]);
  expect((await confirm(ada)).status).toBe(404);
  expect((await send('GET', withSession(ada))).status).toBe(404);
});

test('an address that is too old, replaced, unknown or none does not count', async () => {
  await begin({}, 0);
  expect((await send('GET', withSession(ada))).status).toBe(404);
  expect((await confirm(ada)).status).toBe(404);
  const earlier = code;
  await begin();
  code = randomBytes(32).toString('base64url');
  await begin();
  expect((await confirm(ada, earlier)).status).toBe(404);
  expect((await confirm(ada, randomBytes(32).toString('base64url'))).status).toBe(404);
  expect((await confirm(ada, "' or 1=1 --")).status).toBe(404);
  expect((await send('GET', withSession(ada), 'x"><script>')).status).toBe(404);
});

test('digits that come too late do not count', async () => {
  await begin();
  const { text } = await confirm(ada);
  await browsers.api.postgres.pool.query('update slack_link_codes set expires_at = now()');
  expect(await finish(digitsIn(text))).toBe('none');
  expect(await links()).toEqual([]);
});

test('who got the address of another confirms in vain: only the Slack user who asked brings the digits', async () => {
  await begin();
  // The Slack user U1 has sent its address to Ada, and she confirms.
  const { text } = await confirm(ada);
  expect(await finish('00000000')).toBe(digitsIn(text) === '00000000' ? { linked: expect.anything() } : 'wrong');
  // Another one of the workspace, or the same id in another workspace, has nothing of it.
  expect(await finish(digitsIn(text), 'U2')).toBe('none');
  expect(await finish(digitsIn(text), 'U1', 'T2')).toBe('none');
  expect(await links()).toEqual([]);
});

test('five wrong attempts use the digits up', async () => {
  await begin();
  const digits = digitsIn((await confirm(ada)).text);
  const wrong = digits === '11111111' ? '22222222' : '11111111';
  for (let attempt = 0; attempt < 5; attempt++) expect(await finish(wrong)).toBe('wrong');
  expect(await finish(digits)).toBe('none');
});

test('before a person confirms, no digits count', async () => {
  await begin();
  expect(await finish('00000000')).toBe('none');
});

test('a Slack of another tenant is not linked', async () => {
  await begin({ tenant: 'globex' });
  const page = await send('GET', withSession(ada));
  expect([page.status, page.text]).toEqual([403, expect.stringContaining('another tenant')]);
  expect((await confirm(ada)).status).toBe(403);
});

test('a token is no person in front of a page', async () => {
  await begin();
  const headers = { authorization: `Bearer ${await browsers.oidc.sign()}`, ...fromOurPage };
  expect((await send('POST', headers)).status).toBe(401);
  expect((await send('GET', withSession(ada))).status).toBe(200);
});
