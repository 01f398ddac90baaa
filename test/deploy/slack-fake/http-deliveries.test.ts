import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { isValidSlackRequest } from '@slack/bolt';
import { createClock, type SettableClock } from '../../../deploy/slack/fake/clock.ts';
import { type FakeWithClients, startFakeWithClients } from '../../support/slack/slack-clients.ts';
import { until } from '../../support/until.ts';

type Arrived = { headers: IncomingHttpHeaders; body: string };

let fake: FakeWithClients;
let clock: SettableClock;
let app: Server;
let arrived: Arrived[];
/** What the app answers; `undefined`: nothing, ever. */
let answer: { status: number; headers?: Record<string, string>; body?: string } | undefined;

beforeEach(async () => {
  clock = createClock({ speed: 0 });
  fake = await startFakeWithClients({ clock, rateLimits: false });
  arrived = [];
  answer = { status: 200 };
  app = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      arrived.push({ headers: request.headers, body: Buffer.concat(parts).toString('utf8') });
      if (answer) response.writeHead(answer.status, answer.headers).end(answer.body);
    });
  }).listen(0, '127.0.0.1');
  await until('the app listens', () => app.listening);
  fake.slack.useHttp(`http://127.0.0.1:${(app.address() as AddressInfo).port}/slack/events`);
});

afterEach(async () => {
  app.closeAllConnections();
  app.close();
  await fake.stop();
});

const isValid = ({ headers, body }: Arrived, secret: string) =>
  isValidSlackRequest({
    signingSecret: secret,
    body,
    headers: {
      'x-slack-signature': String(headers['x-slack-signature']),
      'x-slack-request-timestamp': Number(headers['x-slack-request-timestamp']),
    },
  });

test('events, forms and commands carry a signature that Bolt accepts, and no other secret does', async () => {
  const { slack, ada, general, client } = fake;
  slack.say(ada, general, 'hello');
  await slack.command(ada, general, '/alfred', 'help');
  const blocks = [
    { type: 'actions', elements: [{ type: 'button', action_id: 'go', text: { type: 'plain_text', text: 'Go' } }] },
  ];
  const { ts = '' } = await client.chat.postMessage({ channel: general.id, text: 'x', blocks });
  await slack.press(ada, { channel: general.id, ts }, 'go');
  await slack.settled();
  expect(arrived).toHaveLength(4);
  expect(arrived.map((one) => isValid(one, slack.app.signingSecret))).toEqual([true, true, true, true]);
  expect(arrived.some((one) => isValid(one, 'another'))).toBe(false);
  expect(JSON.parse(arrived[0]?.body ?? '')).toMatchObject({
    type: 'event_callback',
    event: { type: 'message', text: 'hello' },
  });
  expect(Object.fromEntries(new URLSearchParams(arrived[1]?.body))).toMatchObject({ command: '/alfred', text: 'help' });
  const pressed = JSON.parse(new URLSearchParams(arrived[3]?.body).get('payload') ?? '');
  expect(pressed).toMatchObject({ type: 'block_actions', actions: [{ action_id: 'go' }] });
});

test('an error is repeated at once, after 1 and after 5 minutes, with the number and the reason', async () => {
  const { slack, ada, general } = fake;
  answer = { status: 503 };
  slack.say(ada, general, 'hello');
  await until('the first repeat', () => slack.deliveries[0]?.attempts.length === 2);
  clock.advance(60_000);
  await until('the second repeat', () => slack.deliveries[0]?.attempts.length === 3);
  answer = { status: 200 };
  clock.advance(5 * 60_000);
  await slack.settled();
  expect(arrived.map(({ headers }) => [headers['x-slack-retry-num'], headers['x-slack-retry-reason']])).toEqual([
    [undefined, undefined],
    ['1', 'http_error'],
    ['2', 'http_error'],
    ['3', 'http_error'],
  ]);
  expect(slack.deliveries[0]?.state).toBe('acknowledged');
});

test('an answer after three seconds is none', async () => {
  const { slack, ada, general } = fake;
  answer = undefined;
  slack.say(ada, general, 'hello');
  await until('the event is with the app', () => arrived.length === 1);
  answer = { status: 200 };
  clock.advance(3_000);
  await slack.settled();
  expect(slack.deliveries[0]?.attempts.map(({ outcome }) => outcome)).toEqual(['http_timeout', 'acknowledged']);
});

test('an app that is away is as an error; x-slack-no-retry ends the repeats', async () => {
  const { slack, ada, general } = fake;
  answer = { status: 500, headers: { 'x-slack-no-retry': '1' } };
  slack.say(ada, general, 'hello');
  await slack.settled();
  expect(arrived).toHaveLength(1);
  slack.useHttp('http://127.0.0.1:9/');
  const { deliveries } = slack.say(ada, general, 'hello');
  await until('the first repeat', () => deliveries[0]?.attempts.length === 2);
  expect(deliveries[0]?.attempts[0]?.outcome).toBe('connection_failed');
});

test('a command is never repeated: the person sees that it failed', async () => {
  const { slack, ada, general } = fake;
  answer = { status: 500 };
  const { acknowledged, delivery } = await slack.command(ada, general, '/alfred');
  expect([acknowledged, delivery.attempts.length]).toEqual([false, 1]);
  answer = { status: 200, headers: { 'content-type': 'application/json' }, body: '{"text":"at your service"}' };
  await slack.command(ada, general, '/alfred');
  expect(slack.view(general, undefined, { as: ada }).at(-1)).toMatchObject({
    shown: 'at your service',
    ephemeral: true,
  });
});

test('beyond the events of an hour Slack sends none, and reports it once a minute', async () => {
  await fake.stop();
  fake = await startFakeWithClients({ clock, rateLimits: false, eventsAnHour: 2 });
  fake.slack.useHttp(`http://127.0.0.1:${(app.address() as AddressInfo).port}/`);
  const { slack, ada, general } = fake;
  for (const text of ['one', 'two', 'three', 'four']) slack.say(ada, general, text);
  await slack.settled();
  clock.advance(60_000);
  slack.say(ada, general, 'five');
  await slack.settled();
  clock.advance(60 * 60_000);
  slack.say(ada, general, 'six');
  await slack.settled();
  const bodies = arrived.map(({ body }) => JSON.parse(body));
  expect(bodies.filter(({ event }) => event).map(({ event }) => event.text)).toEqual(['one', 'two', 'six']);
  const limited = bodies.filter(({ type }) => type === 'app_rate_limited');
  expect(limited.map(({ team_id }) => team_id)).toEqual([slack.workspace.id, slack.workspace.id]);
});

test('an address is accepted when the app answers with the challenge', async () => {
  const { slack } = fake;
  expect(await slack.verifyRequestUrl()).toBe(false);
  app.removeAllListeners('request');
  app.on('request', (request, response) => {
    request.on('data', (part: Buffer) => void response.end(JSON.parse(part.toString('utf8')).challenge));
  });
  expect(await slack.verifyRequestUrl()).toBe(true);
});
