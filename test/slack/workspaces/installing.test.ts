import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createInstallHarness, type InstallHarness } from './install-harness.ts';

let env: InstallHarness;
beforeAll(async () => {
  env = await createInstallHarness();
});
afterAll(() => env?.close());

let count = 0;
const workspace = (more: { isOrg?: boolean } = {}) =>
  env.slack.addWorkspace({ name: `Company ${++count}`, installed: false, ...more });

test('a workspace installs Alfred, and waits to be let in', async () => {
  const company = workspace();
  const { response, setCookie, cookie, slackPage } = await env.begin();
  expect(response.status).toBe(302);
  expect(setCookie).toMatch(/^__Host-alfred-slack-install=[\w-]+; Secure; HttpOnly; Path=\/; Max-Age=600$/);
  const { origin, pathname, searchParams } = new URL(slackPage);
  expect({ origin, pathname }).toEqual({ origin: env.slack.url, pathname: '/oauth/v2/authorize' });
  expect(searchParams.get('redirect_uri')).toBe('https://alfred.example.com/slack/oauth_redirect');
  expect(searchParams.get('scope')?.split(',')).toContain('chat:write');
  expect(searchParams.get('scope')).not.toContain('users:read.email');
  expect(searchParams.get('client_id')).toBe(env.slack.app.clientId);

  const { status, text, headers } = await env.comeBack(await env.agree(slackPage, company), cookie);
  expect(status).toBe(200);
  expect(text).toContain(`alfred slack workspaces allow ${company.id} --tenant`);
  expect(headers.get('cache-control')).toBe('no-store');
  expect(headers.getSetCookie()[0]).toMatch(/=deleted; .*Expires=Thu, 01 Jan 1970/);
  expect(await env.rowOf(company)).toEqual({ state: 'pending', tenant: null, isEmpty: false });
});

test('an installation that is not of this browser, forged, too old or used does not count', async () => {
  const company = workspace();
  const [one, other] = [await env.begin(), await env.begin()];
  const old = env.slackInstallations.issueState(-1);
  const forged = `${env.slackInstallations.issueState(600_000).slice(0, -6)}AAAAAA`;
  const cookieOf = (state: string) => `__Host-alfred-slack-install=${state}`;
  const searchOf = async (state: string) =>
    env.agree(`${env.slack.url}/oauth/v2/authorize?redirect_uri=https://alfred.example.com/x&state=${state}`, company);
  for (const [search, cookie] of [
    [await env.agree(one.slackPage, company), ''],
    [await env.agree(one.slackPage, company), other.cookie],
    [await searchOf(old), cookieOf(old)],
    [await searchOf(forged), cookieOf(forged)],
    ['?code=1', one.cookie],
    ['?state=x', one.cookie],
    ['', one.cookie],
  ] as const) {
    const { status, text } = await env.comeBack(search, cookie);
    expect({ status, text }).toEqual({ status: 400, text: expect.stringContaining('/slack/install') });
  }
  expect(await env.rowOf(company)).toBeUndefined();

  const search = await env.agree(one.slackPage, company);
  expect((await env.comeBack(search, one.cookie)).status).toBe(200);
  // The browser keeps no cookie; but one who has copied it cannot use it again, with another code of Slack either.
  expect((await env.comeBack(search, one.cookie)).status).toBe(400);
  expect((await env.comeBack(await env.agree(one.slackPage, company), one.cookie)).status).toBe(400);
});

test('a code that was used does not count, with another state either', async () => {
  const company = workspace();
  const first = await env.begin();
  const search = await env.agree(first.slackPage, company);
  expect((await env.comeBack(search, first.cookie)).status).toBe(200);
  const second = await env.begin();
  const again = new URLSearchParams(search);
  again.set('state', second.cookie.split('=')[1] ?? '');
  expect((await env.comeBack(`?${again.toString()}`, second.cookie)).status).toBe(400);
});

test('a person who does not agree reads that nothing was installed', async () => {
  const { cookie } = await env.begin();
  const { status, text } = await env.comeBack(`?error=access_denied&state=${cookie.split('=')[1]}`, cookie);
  expect(status).toBe(403);
  expect(text).toContain('Alfred was not installed');
});

test('a whole organisation is refused, and its token is made worthless', async () => {
  const org = workspace({ isOrg: true });
  const { status, text } = await env.install(org);
  expect({ status, text }).toEqual({ status: 403, text: expect.stringContaining('whole organisations') });
  expect(org.installed).toBe(false);
  expect(await env.rowOf(org)).toBeUndefined();
});

test('the workspace of the bot token keeps that token', async () => {
  const { status, text } = await env.install(env.slack.workspace);
  expect({ status, text }).toEqual({ status: 200, text: expect.stringContaining('SLACK_BOT_TOKEN') });
  expect(await env.rowOf(env.slack.workspace)).toBeUndefined();
});

test.each([
  ['does not answer', () => env.slack.faults.httpStatus('oauth.v2.access', 500), 503],
  ['limits calls', () => env.slack.faults.rateLimit('oauth.v2.access'), 503],
  ['refuses the secret', () => env.slack.faults.fail('oauth.v2.access', 'bad_client_secret'), 502],
])('when Slack %s, a page says so', async (_, fail, expected) => {
  const company = workspace();
  fail();
  const { status, text } = await env.install(company);
  expect(status).toBe(expected);
  expect(text).not.toContain(env.slack.app.clientSecret);
  expect(await env.rowOf(company)).toBeUndefined();
});

test('what Slack or a stranger writes into an address is shown as text', async () => {
  const { status, text } = await env.comeBack('?error=%3Cscript%3Ealert(1)%3C/script%3E', '');
  expect(status).toBe(502);
  expect(text).not.toContain('<script>');
  for (const path of ['/slack/install', '/slack/oauth_redirect'])
    expect((await fetch(`${env.bot.url}${path}`, { method: 'POST' })).status).toBe(405);
});

test('no token is in the table in a form that is read', async () => {
  const company = workspace();
  await env.install(company);
  const { rows } = await env.postgres.pool.query(
    "select i::text || encode(coalesce(token, ''), 'escape') as text, encode(token, 'hex') as hex from slack_installations i",
  );
  const all = rows.map(({ text, hex }) => `${text} ${hex}`).join('\n');
  expect(all).toContain(company.id);
  expect(all).not.toContain(company.botToken);
  expect(all).not.toContain(Buffer.from(company.botToken).toString('hex'));
});

test('an address that asks for the pages too often gets none for a minute', async () => {
  const statuses = new Set<number>();
  for (let n = 0; n < 61; n++) statuses.add((await env.begin()).response.status);
  expect(statuses).toContain(429);
  expect((await env.comeBack('?code=1&state=x', '')).status).toBe(429);
});
