import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createHmac } from 'node:crypto';
import { createSlackHarness, type SlackHarness } from './slack-harness.ts';

let env: SlackHarness;
let events: string;
beforeAll(async () => {
  env = await createSlackHarness({}, { rateLimits: false });
  events = `${env.bot.url}/slack/events`;
});
afterAll(() => env?.close());

const seconds = (offset = 0) => Math.floor(Date.now() / 1_000) + offset;
const post = (body: string, headers: Record<string, string> = {}) =>
  fetch(events, { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } });
const event = (id: string) =>
  JSON.stringify({ type: 'event_callback', team_id: '', event_id: id, event: { type: 'tokens_revoked' } });
const stored = async (id: string) =>
  (await env.postgres.pool.query('select key from slack_inbox where key like $1', [`%${id}`])).rows.length;

test('a signed event is stored and acknowledged', async () => {
  const body = event('Ev1');
  expect((await post(body, env.slack.sign(body, seconds()))).status).toBe(200);
  expect(await stored('Ev1')).toBe(1);
});

const body = event('Ev2');
const withSecret = (secret: string, time = String(seconds())) => ({
  'x-slack-request-timestamp': time,
  'x-slack-signature': `v0=${createHmac('sha256', secret).update(`v0:${time}:${body}`).digest('hex')}`,
});
test.each<[string, () => Record<string, string>]>([
  ['without a signature', () => ({})],
  ['with a forged signature', () => withSecret('another secret')],
  ['signed with an empty secret', () => withSecret('')],
  ['whose signature is of another body', () => env.slack.sign(`${body} `, seconds())],
  ['that is older than 5 minutes', () => env.slack.sign(body, seconds(-302))],
  ['that is dated more than 5 minutes in the future', () => env.slack.sign(body, seconds(302))],
  ['whose time is no number', () => withSecret(env.slack.app.signingSecret, 'NaN')],
  ['whose time has a fraction', () => withSecret(env.slack.app.signingSecret, `${seconds()}.5`)],
  ['whose signature is cut', () => ({ ...env.slack.sign(body, seconds()), 'x-slack-signature': 'v0=' })],
])('a request %s is answered with 401, and nothing is stored', async (_, headers) => {
  expect((await post(body, headers())).status).toBe(401);
  expect(await stored('Ev2')).toBe(0);
});

test('the time may be off by less than 5 minutes', async () => {
  for (const offset of [-290, 290]) expect((await post(body, env.slack.sign(body, seconds(offset)))).status).toBe(200);
  expect(await stored('Ev2')).toBe(1);
});

test('without a signing secret every request is answered with 401', async () => {
  const door = await env.startBot({ config: { ...env.config, SLACK_SIGNING_SECRET: undefined } });
  const send = (headers: Record<string, string>) =>
    fetch(`${door.url}/slack/events`, { method: 'POST', body, headers }).then(({ status }) => status);
  expect(await send(withSecret(''))).toBe(401);
  expect(await send(withSecret('undefined'))).toBe(401);
  await door.stop();
});

test('Slack’s check of the address is answered, when it is signed', async () => {
  const check = JSON.stringify({ type: 'url_verification', challenge: '3eZbrw1aB' });
  const response = await post(check, env.slack.sign(check, seconds()));
  expect([response.status, await response.text()]).toEqual([200, '3eZbrw1aB']);
  expect((await post(check)).status).toBe(401);
});

test('what is too large or no JSON is refused', async () => {
  expect((await post('x'.repeat(1_100_000))).status).toBe(413);
  expect((await post('{', env.slack.sign('{', seconds()))).status).toBe(400);
  expect((await fetch(events)).status).toBe(405);
});

test('events, interactions and commands of Slack arrive, and a question is answered', async () => {
  const team = env.slack.workspace.id;
  env.slack.useHttp(events);
  env.script(() => ({ text: ['By HTTP.'] }));
  const anna = env.slack.addUser({ name: 'anna' });
  const { id: channel } = env.slack.directMessage(anna);
  const { ts } = env.slack.say(anna, channel, 'Does it work?');
  expect((await env.answersIn(channel, ts))[0]?.shown).toContain('By HTTP.');
  await env.slack.deliver('interactive', {
    type: 'block_actions',
    actions: [{ type: 'button', action_id: 'unknown', block_id: 'b' }],
    trigger_id: 'x1',
    user: { id: anna.id },
    team: { id: team },
  }).done;
  await env.slack.deliver('command', { command: '/alfred', trigger_id: 'x2', team_id: team, user_id: anna.id }).done;
  env.slack.useHttp(undefined);
  expect(env.slack.deliveries.slice(-2).map(({ state }) => state)).toEqual(['acknowledged', 'acknowledged']);
  const { rows } = await env.postgres.pool.query(
    "select kind, key from slack_inbox where kind <> 'event' order by kind",
  );
  expect(rows).toEqual([
    { kind: 'command', key: `command:${team}:x2` },
    { kind: 'interactive', key: `interactive:${team}:x1` },
  ]);
  await env.inboxIsEmpty();
  const { values } = await env.metrics.slackDeliveries.get();
  expect(values.map(({ labels }) => labels.outcome)).toEqual(['completed']);
});

test('probes and metrics are answered, and strangers see no metrics and no details', async () => {
  const read = async (path: string, headers: Record<string, string> = {}) => {
    const response = await fetch(`${env.bot.url}${path}`, { headers });
    return { status: response.status, text: await response.text() };
  };
  expect(await read('/health')).toMatchObject({ status: 200, text: expect.stringContaining('"ok"') });
  expect(await read('/healthz')).toMatchObject({ status: 200, text: expect.stringContaining('postgres') });
  const { text } = await read('/metrics');
  expect(text).toMatch(/slack_events_total\{transport="http",kind="unknown",outcome="refused"\} \d+/);
  expect(text).toContain('slack_ack_duration_seconds_bucket');
  expect(text).toMatch(/slack_api_call_duration_seconds_count\{method="auth.test",outcome="ok"\} \d/);
  const byProxy = { 'x-forwarded-for': '203.0.113.5' };
  expect((await read('/metrics', byProxy)).status).toBe(404);
  expect((await read('/healthz', byProxy)).text).not.toContain('postgres');
  expect((await read('/anything')).status).toBe(404);
});
