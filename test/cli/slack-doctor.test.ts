import { createServer } from 'node:net';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { agents } from '../../agents/index.ts';
import { describeActivity, describeLinks } from '../../cli/slack/check-database.ts';
import { checkClock, checkScopes } from '../../cli/slack/check-slack.ts';
import { checkTokens } from '../../cli/slack/check-tokens.ts';
import type { Finding } from '../../cli/slack/finding.ts';
import { botScopes } from '../../slack/app-manifest.ts';
import { createSlackHarness, type SlackHarness } from '../slack/slack-harness.ts';
import { alfred } from './run-alfred.ts';

let harness: SlackHarness;
beforeAll(async () => {
  harness = await createSlackHarness();
});
afterAll(() => harness?.close());

const environment = () => {
  const { DATABASE_URL, TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, ALFRED_DATA_DIR, SLACK_API_URL } = harness.config;
  return {
    DATABASE_URL,
    TEMPORAL_ADDRESS,
    TEMPORAL_NAMESPACE,
    ALFRED_DATA_DIR,
    SLACK_API_URL: SLACK_API_URL ?? '',
    SLACK_BOT_TOKEN: harness.slack.workspace.botToken,
    SLACK_APP_TOKEN: harness.slack.app.appToken,
    SLACK_SIGNING_SECRET: harness.slack.app.signingSecret,
    SLACK_PORT: new URL(harness.bot.url).port,
    NO_COLOR: '1',
  };
};

async function examine(variables: Record<string, string> = {}, ...args: string[]) {
  const all: Record<string, string> = { ...environment(), ...variables };
  const result = await alfred(['slack', 'doctor', ...args], all);
  const output = result.stdout + result.stderr;
  for (const name of ['SLACK_BOT_TOKEN', 'SLACK_APP_TOKEN', 'SLACK_SIGNING_SECRET'])
    if (all[name]) expect(output).not.toContain(all[name]);
  return result;
}
const checksOf = ({ stdout }: { stdout: string }) =>
  Object.fromEntries((JSON.parse(stdout) as { checks: Finding[] }).checks.map((finding) => [finding.check, finding]));

test('a door that works has no fault, and what Slack does not show is named', async () => {
  const ada = harness.slack.addUser({ name: 'ada' });
  harness.slack.say(ada, harness.slack.directMessage(ada), 'Good morning.');
  await harness.slack.settled();
  await harness.inboxIsEmpty();
  const { id: channel } = harness.slack.addChannel({ name: 'alerts' });
  const { code, stdout, stderr } = await examine({ SLACK_ALERTS_CHANNEL: channel });
  expect({ code, stdout, stderr }).toMatchObject({ code: 0, stderr: 'Nothing is wrong.\n' });
  for (const line of [
    '✓ bot token       SLACK_BOT_TOKEN is the "Bot User OAuth Token" (xoxb-…)',
    '✓ app token       SLACK_APP_TOKEN is an "App-Level Token" (xapp-…)',
    '✓ signing secret  SLACK_SIGNING_SECRET is the "Signing Secret" of the app',
    `✓ sign-in         Alfred is alfred in the workspace Acme (${harness.slack.workspace.id})`,
    '✓ sockets         Slack opens sockets for the app token',
    `✓ alerts          they are posted in the channel ${channel}`,
    '✓ agent           alfred answers',
    `✓ door            it is ready at http://127.0.0.1:${environment().SLACK_PORT}`,
    '✓ database        its schema is up to date',
    '✓ links           0 by /alfred link, 0 by e-mail address; SLACK_LINK_BY_EMAIL is not set',
    '✓ received        last at ',
    '? events          Slack does not say which events an app gets',
  ])
    expect(stdout).toContain(line);
});

test('each fault is named with what to do, and the command fails', async () => {
  const { slack } = harness;
  slack.workspace.scopes.delete('users:read');
  const { id: channel } = slack.addChannel({ name: 'closed', withApp: false });
  const { id: shared } = slack.addChannel({ name: 'shared', external: true });
  const [swapped, refused] = await Promise.all([
    examine({ SLACK_BOT_TOKEN: slack.app.appToken, SLACK_APP_TOKEN: '', SLACK_SIGNING_SECRET: '' }, '--json'),
    examine(
      {
        SLACK_APP_TOKEN: 'xapp-of-another-app',
        SLACK_AGENT: 'butler',
        SLACK_PORT: String(await closedPort()),
        SLACK_ALERTS_CHANNEL: channel,
        SLACK_APPROVALS_CHANNEL: shared,
      },
      '--json',
    ),
  ]).finally(() => slack.workspace.scopes.add('users:read'));
  expect([swapped.code, refused.code]).toEqual([1, 1]);
  expect(checksOf(swapped)).toMatchObject({
    'bot token': {
      state: 'wrong',
      message:
        'SLACK_BOT_TOKEN is an app-level token, which belongs into SLACK_APP_TOKEN; expected the "Bot User OAuth Token" (xoxb-…)',
    },
    'app token': { state: 'wrong', message: expect.stringContaining('Slack cannot send anything') },
    door: { state: 'ok' },
  });
  expect(checksOf(refused)).toMatchObject({
    scopes: { state: 'wrong', message: 'the bot token lacks users:read', advice: expect.stringContaining('install') },
    sockets: { state: 'wrong', message: 'Slack refuses the app token: invalid_auth' },
    alerts: { state: 'wrong', message: `Alfred is no member of the channel ${channel}` },
    approvals: { state: 'wrong', message: expect.stringContaining(`${shared} is shared with another organisation`) },
    agent: { state: 'wrong', advice: `Set it to one of: ${Object.keys(agents).join(', ')}.` },
    door: { state: 'wrong', message: expect.stringContaining('no Slack door answers at') },
    database: { state: 'ok' },
  });
});

test('without a database, Slack and a configuration that fits, each is a fault of its own', async () => {
  const nothing = `http://127.0.0.1:${await closedPort()}`;
  const away = { DATABASE_URL: nothing.replace('http', 'postgres') + '/alfred', SLACK_API_URL: `${nothing}/api/` };
  const [silent, unfit] = await Promise.all([
    examine(away, '--json'),
    examine({ OIDC_ISSUER: 'https://id.example.com', OIDC_AUDIENCE: 'alfred', OIDC_TENANT: 'acme' }, '--json'),
  ]);
  expect(checksOf(silent)).toMatchObject({
    'sign-in': { state: 'wrong', message: expect.stringMatching(/^Slack does not answer at 127\.0\.0\.1:/) },
    database: { state: 'wrong', message: expect.stringContaining('Postgres does not answer at') },
  });
  expect(checksOf(unfit)).toMatchObject({
    settings: { state: 'wrong', message: expect.stringContaining('SLACK_TENANT is not set') },
  });
});

test('kinds of tokens are recognised, and tokens in files are read', () => {
  const messages = (variables: Record<string, string>) => checkTokens(variables).findings.map(({ message }) => message);
  expect(messages({ SLACK_BOT_TOKEN: 'xoxp-1', SLACK_APP_TOKEN: 'xapp-1' })[0]).toContain('a token of a person');
  expect(messages({ SLACK_BOT_TOKEN: 'xoxb-1 ', SLACK_APP_TOKEN: 'xapp-1' })[0]).toContain('spaces around it');
  const files = { SLACK_BOT_TOKEN: 'xoxb-1', SLACK_APP_TOKEN_FILE: '/nowhere/token' };
  expect(messages(files)).toEqual([expect.any(String), expect.stringContaining('/nowhere/token (ENOENT)')]);
  expect(messages({ ...files, SLACK_BOT_TOKEN_FILE: '/nowhere' })[0]).toContain('both set');
});

test('a clock that differs by more than a minute is a fault', () => {
  const now = Date.parse('2026-11-01T08:00:00.500Z');
  const stateAt = (date: string | null) =>
    checkClock(date, now, now + 200).map(({ state, message }) => [state, message]);
  expect(stateAt('Sun, 01 Nov 2026 08:00:00 GMT')).toEqual([['ok', "it differs from Slack's by 0 seconds at most"]]);
  expect(stateAt('Sun, 01 Nov 2026 07:50:00 GMT')).toEqual([['wrong', expect.stringContaining('ahead of')]]);
  expect(stateAt('Sun, 01 Nov 2026 08:10:00 GMT')).toEqual([['wrong', expect.stringContaining('behind')]]);
  expect(stateAt(null)).toEqual([]);
});

test('scopes that the answer does not name are unknown, and more than needed are no fault', () => {
  const off = { linksByEmail: false };
  expect(checkScopes(undefined, off).state).toBe('unknown');
  expect(checkScopes([...botScopes, 'files:read'], off).state).toBe('ok');
});

test('links by e-mail address need a scope more, and the doctor counts how links were made', () => {
  expect(checkScopes(botScopes, { linksByEmail: true })).toMatchObject({
    state: 'wrong',
    message: 'the bot token lacks users:read.email',
    advice: expect.stringContaining('deploy/slack/manifest-link-by-email.yaml'),
  });
  expect(checkScopes([...botScopes, 'users:read.email'], { linksByEmail: true }).state).toBe('ok');
  const counts = { made: 2, byEmail: 3, unclear: 0 };
  const on = { SLACK_LINK_BY_EMAIL: ['example.com'] };
  expect(describeLinks(counts, { SLACK_LINK_BY_EMAIL: [] }).message).toContain('SLACK_LINK_BY_EMAIL is not set');
  expect(describeLinks(counts, on)).toMatchObject({
    state: 'ok',
    message: '2 by /alfred link, 3 by e-mail address (example.com)',
  });
  expect(describeLinks({ ...counts, unclear: 1 }, on)).toMatchObject({
    state: 'unknown',
    message: expect.stringContaining('1 address of several sign-ins links no one'),
  });
});

test('a message that waits for more than a minute is a fault', () => {
  const now = Date.parse('2026-11-01T08:00:00Z');
  const none = { lastReceivedAt: null, waiting: 0, waitingSince: null, lastAnsweredAt: null, open: 0 };
  const statesOf = (activity: Partial<typeof none> | Record<string, unknown>) =>
    describeActivity({ ...none, ...activity }, now).map(({ state }) => state);
  expect(statesOf({})).toEqual(['unknown', 'unknown']);
  const since = (ms: number) => ({ waiting: 2, waitingSince: new Date(now - ms), lastReceivedAt: new Date(now) });
  expect(statesOf(since(10_000))).toEqual(['ok', 'unknown']);
  expect(statesOf(since(70_000))).toEqual(['wrong', 'unknown']);
  expect(describeActivity({ ...none, ...since(70_000) }, now)[0]?.message).toBe(
    '2 messages wait to be processed, since 2026-11-01 07:58:50 UTC',
  );
});

/** A port where nothing listens. */
async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
