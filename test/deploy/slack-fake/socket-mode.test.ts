import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createClock, type SettableClock } from '../../../deploy/slack/fake/clock.ts';
import {
  type FakeWithClients,
  outcomeOf,
  type Received,
  startFakeWithClients,
} from '../../support/slack/slack-clients.ts';
import { until } from '../../support/until.ts';

let fake: FakeWithClients;
let clock: SettableClock;
beforeEach(async () => {
  clock = createClock({ speed: 0 });
  fake = await startFakeWithClients({ clock, rateLimits: false });
});
afterEach(() => fake.stop());

const messages = (received: Received[]) => received.map(({ body }) => body.event);

test('a mention arrives twice: as app_mention and as message, with different event ids', async () => {
  const { slack, ada, general } = fake;
  const { received } = await fake.connect();
  const { ts } = slack.mention(ada, general, 'hello');
  await slack.settled();
  expect(messages(received).map((event) => [event.type, event.channel, event.ts, event.user])).toEqual([
    ['app_mention', general.id, ts, ada.id],
    ['message', general.id, ts, ada.id],
  ]);
  expect(new Set(received.map(({ body }) => body.event_id)).size).toBe(2);
  expect(slack.deliveries.every(({ state, attempts }) => state === 'acknowledged' && attempts.length === 1)).toBe(true);
});

test('in a direct message there is no app_mention', async () => {
  const { slack, ada } = fake;
  const { received } = await fake.connect();
  slack.mention(ada, slack.directMessage(ada), 'hello');
  await slack.settled();
  expect(messages(received).map(({ type, channel_type }) => [type, channel_type])).toEqual([['message', 'im']]);
});

test('the app hears its own messages, edits and deletions, and nothing of channels where it is not', async () => {
  const { slack, client, ada, general } = fake;
  const { received } = await fake.connect();
  const hidden = slack.addChannel({ name: 'hidden', kind: 'private', members: [ada], withApp: false });
  slack.say(ada, hidden, 'secret');
  const act = slack.say(ada, general, 'one');
  slack.edit(ada, act, 'two');
  slack.remove(ada, act);
  await client.chat.postMessage({ channel: general.id, text: 'mine' });
  await slack.settled();
  const kinds = messages(received).map(({ subtype, text, bot_id }) => [subtype, text, bot_id]);
  expect(kinds).toEqual([
    [undefined, 'one', undefined],
    ['message_changed', undefined, undefined],
    ['message_deleted', undefined, undefined],
    [undefined, 'mine', slack.workspace.botId],
  ]);
  const changed = messages(received)[1];
  expect([changed.message.text, changed.previous_message.text, changed.message.ts]).toEqual(['two', 'one', act.ts]);
  expect(messages(received)[2]).toMatchObject({ deleted_ts: act.ts });
});

test('only what the app subscribed to and has scopes for is sent', async () => {
  await fake.stop();
  fake = await startFakeWithClients({ events: ['message.im', 'message.channels'], scopes: ['im:history'] });
  const { slack, ada, general } = fake;
  slack.mention(ada, general, 'hello');
  slack.say(ada, slack.directMessage(ada), 'hello');
  expect(slack.deliveries.map(({ payload }) => (payload['event'] as { channel_type: string }).channel_type)).toEqual([
    'im',
  ]);
});

test('an event without an acknowledgement is repeated at once, after 1 and after 5 minutes', async () => {
  const { slack, ada } = fake;
  const { received } = await fake.connect(async () => undefined);
  slack.say(ada, slack.directMessage(ada), 'hello');
  const attempts = () => slack.deliveries[0]?.attempts.map(({ at }) => at) ?? [];
  const start = clock.now();
  for (const [index, wait] of [0, 60_000, 5 * 60_000, 0].entries()) {
    await until('the event is with the app', () => received.length === index + 1);
    clock.advance(3_000);
    await until('the attempt is over', () => attempts().length === index + 1);
    if (wait > 0) clock.advance(wait);
  }
  await slack.settled();
  expect(received.map(({ retryNum, retryReason }) => [retryNum, retryReason])).toEqual([
    [0, ''],
    [1, 'timeout'],
    [2, 'timeout'],
    [3, 'timeout'],
  ]);
  expect(new Set(received.map(({ body }) => body.event_id)).size).toBe(1);
  expect(attempts().map((at) => at - start)).toEqual([0, 3_000, 66_000, 369_000]);
  expect(slack.deliveries[0]?.state).toBe('failed');
});

test('a lost acknowledgement makes Slack repeat the event', async () => {
  const { slack, ada } = fake;
  const { received } = await fake.connect();
  slack.faults.loseAcknowledgements(1);
  slack.say(ada, slack.directMessage(ada), 'hello');
  await until('the first attempt', () => received.length === 1);
  clock.advance(3_000);
  await slack.settled();
  expect(received.map(({ retryNum }) => retryNum)).toEqual([0, 1]);
});

test('two connections share the deliveries; each gets some and none gets all', async () => {
  const { slack, ada } = fake;
  const connections = [await fake.connect(), await fake.connect()];
  const channel = slack.directMessage(ada);
  for (let count = 0; count < 10; count += 1) slack.say(ada, channel, String(count));
  await slack.settled();
  const texts = connections.map(({ received }) => messages(received).map(({ text }) => text as string));
  expect(texts.map(({ length }) => length)).toEqual([5, 5]);
  expect(texts.flat().sort()).toEqual([...Array(10).keys()].map(String));
});

test.each(['refresh_requested', 'abrupt'] as const)(
  'after a connection ends (%s) the client opens another, and no event is lost',
  async (how) => {
    const { slack, ada } = fake;
    const { received } = await fake.connect();
    const channel = slack.directMessage(ada);
    slack.say(ada, channel, 'before');
    await slack.settled();
    slack.faults.disconnectSockets(how);
    slack.say(ada, channel, 'between');
    await until('the client is back', () => slack.connections().some(({ id }) => id > 1));
    slack.say(ada, channel, 'after');
    await until('the event after it', () => messages(received).some(({ text }) => text === 'after'));
    await until('the event between', () => {
      clock.advance(10_000);
      return messages(received).some(({ text }) => text === 'between');
    });
  },
);

test('a warning comes before the end: nothing new is sent there, and the other connection gets it', async () => {
  const { slack, ada } = fake;
  const first = await fake.connect();
  slack.clock.advance(18_060_000 - 20_000);
  const second = await fake.connect();
  clock.advance(10_000);
  slack.say(ada, slack.directMessage(ada), 'hello');
  await slack.settled();
  expect([first.received.length, second.received.length]).toEqual([0, 1]);
});

test('an address for a connection works once, and needs the token of the app', async () => {
  const { slack, clientWith } = fake;
  const { url = '' } = await clientWith(slack.app.appToken).apps.connections.open({});
  const open = () =>
    new Promise<string>((resolve) => {
      const socket = new WebSocket(url);
      socket.onmessage = ({ data }) => resolve(JSON.parse(String(data)).type);
      socket.onerror = () => resolve('refused');
    });
  expect(await open()).toBe('hello');
  expect(await open()).toBe('refused');
  expect(await outcomeOf(fake.client.apps.connections.open({}))).toBe('not_allowed_token_type');
});

test('the eleventh connection is refused', async () => {
  const { slack, clientWith } = fake;
  const open = async () => {
    const { url = '' } = await clientWith(slack.app.appToken).apps.connections.open({});
    const { promise, resolve } = Promise.withResolvers<Record<string, unknown>>();
    new WebSocket(url).onmessage = ({ data }) => resolve(JSON.parse(String(data)));
    return promise;
  };
  for (let count = 1; count <= 10; count += 1)
    expect(await open()).toMatchObject({ type: 'hello', num_connections: count });
  expect(await open()).toMatchObject({ type: 'disconnect', reason: 'too_many_websockets' });
});

test('four deliveries of one event on request', async () => {
  const { slack, ada } = fake;
  const { received } = await fake.connect();
  slack.faults.setDeliveryCopies(4);
  slack.say(ada, slack.directMessage(ada), 'hello');
  await slack.settled();
  expect(received).toHaveLength(4);
  expect(new Set(received.map(({ body }) => body.event_id)).size).toBe(1);
});
