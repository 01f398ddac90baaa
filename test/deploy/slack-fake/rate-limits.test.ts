import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { webApi } from '@slack/bolt';
import { createClock, type SettableClock } from '../../../deploy/slack/fake/clock.ts';
import { type FakeWithClients, outcomeOf, silent, startFakeWithClients } from '../../support/slack/slack-clients.ts';

let fake: FakeWithClients;
let clock: SettableClock;
beforeEach(async () => {
  clock = createClock({ speed: 0 });
  fake = await startFakeWithClients({ clock });
});
afterEach(() => fake.stop());

test('one message a second in each channel', async () => {
  const { slack, client, general } = fake;
  const other = slack.addChannel({ name: 'other' });
  const post = (channel: string) => outcomeOf(client.chat.postMessage({ channel, text: 'x' }));
  expect(await post(general.id)).toBe('ok');
  expect(await post(other.id)).toBe('ok');
  expect(await post(general.id)).toBe('ratelimited 1');
  clock.advance(1_000);
  expect(await post(general.id)).toBe('ok');
  expect(slack.view(general)).toHaveLength(2);
});

test.each([
  ['chat.startStream', 20],
  ['chat.update', 50],
  ['chat.appendStream', 100],
  ['users.info', 100],
])('%s: %i calls a minute, then 429 until the oldest is a minute old', async (method, limit) => {
  const { client } = fake;
  const call = () => outcomeOf(client.apiCall(method, { channel: 'C404' }));
  for (let count = 0; count < limit; count += 1) {
    expect(await call()).not.toContain('ratelimited');
    if (count === 0) clock.advance(10_000);
  }
  expect(await call()).toBe('ratelimited 50');
  clock.advance(50_000);
  expect(await call()).not.toContain('ratelimited');
  expect(await call()).toBe('ratelimited 10');
});

test('the limits of one workspace are not those of another', async () => {
  const { slack, client, clientWith } = fake;
  const other = clientWith(slack.addWorkspace({ name: 'Globex' }).botToken);
  for (let count = 0; count < 20; count += 1) await outcomeOf(client.conversations.list());
  expect(await outcomeOf(client.conversations.list())).toBe('ratelimited 60');
  expect(await outcomeOf(other.conversations.list())).toBe('ok');
});

test("Slack's client waits as long as Retry-After says, and calls again", async () => {
  const { slack, general } = fake;
  const patient = new webApi.WebClient(slack.workspace.botToken, { slackApiUrl: slack.apiUrl, logger: silent });
  slack.faults.rateLimit('chat.postMessage', 1, 0);
  await patient.chat.postMessage({ channel: general.id, text: 'x' });
  expect(slack.calls.map(({ outcome }) => outcome)).toEqual(['ratelimited', 'ok']);
});

test('faults on request: an error, a status, an outage, an answer that gets lost', async () => {
  const { slack, client, general } = fake;
  slack.setRateLimits(false);
  const post = () => outcomeOf(client.chat.postMessage({ channel: general.id, text: 'x' }));
  slack.faults.fail('chat.postMessage', 'internal_error');
  expect(await post()).toBe('internal_error');
  slack.faults.httpStatus('chat.postMessage', 502);
  expect(await post()).toBe('http 502');
  slack.faults.setOutage(true);
  expect(await post()).toBe('http 503');
  slack.faults.setOutage(false);
  expect(slack.view(general)).toEqual([]);
  slack.faults.loseAnswer('chat.postMessage');
  expect(await post()).not.toBe('ok');
  expect(slack.view(general)).toHaveLength(1);
  expect(slack.calls.map(({ outcome }) => outcome)).toEqual(['internal_error', 'http_502', 'http_503', 'lost']);
});
