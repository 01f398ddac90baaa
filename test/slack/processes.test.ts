import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { until } from '../support/until.ts';
import { blockedTurn } from '../api/open-conversation.ts';
import { createSlackHarness, type SlackHarness } from './slack-harness.ts';

let env: SlackHarness;
let user: { id: string };
let channel: string;
beforeEach(async () => {
  env = await createSlackHarness({ ALFRED_SHUTDOWN_GRACE_S: '5' }, { rateLimits: false });
  user = env.slack.addUser({ name: 'anna' });
  channel = env.slack.directMessage(user).id;
});
afterEach(() => env?.close());

test('a bot that stops gives back what it shows, and another one finishes the same message', async () => {
  const { turn, release } = blockedTurn('The answer.');
  const requests = env.script([turn]);
  const { ts } = env.slack.say(user, channel, 'What?');
  await until('the model is asked', () => requests.length === 1);
  const leases = async () =>
    (await env.postgres.pool.query('select owner from slack_posts where finished_at is null')).rows as {
      owner: string | null;
    }[];
  const [before] = await until('the answer is shown by a bot', async () => {
    const rows = await leases();
    return rows[0]?.owner ? rows : undefined;
  });
  await env.stopBot();
  expect(await leases()).toEqual([{ owner: null }]);
  await env.startBot();
  await until('another bot has it', async () => ((await leases())[0]?.owner ?? before?.owner) !== before?.owner);
  release();
  const answers = await env.answersIn(channel, ts);
  expect(answers).toHaveLength(1);
  expect(env.slack.view(channel, ts).filter(({ fromApp }) => fromApp)).toHaveLength(1);
  expect(answers[0]?.shown).toContain('The answer.');
});

test('two bots at once answer each question once', async () => {
  await env.startBot();
  const requests = env.script(() => ({ text: ['Yes.'] }));
  env.slack.faults.setDeliveryCopies(4);
  const asked = Array.from({ length: 8 }, (_, i) => env.slack.say(user, channel, `Question ${i}`));
  await Promise.all(asked.map(({ ts }) => env.answersIn(channel, ts)));
  expect(requests).toHaveLength(8);
  expect(await env.tasks()).toHaveLength(8);
  for (const { ts } of asked) expect(env.slack.view(channel, ts).filter(({ fromApp }) => fromApp)).toHaveLength(1);
});

/** What was not acknowledged comes again after 1 and 5 minutes. */
async function repeatsAreOver() {
  await until('each delivery has been tried', () => env.slack.deliveries.every(({ attempts }) => attempts.length > 0));
  for (const _ of [1, 2, 3])
    await until(
      'nothing is under way',
      () => {
        env.slack.clock.advance(60_000);
        return env.slack.deliveries.every(({ state }) => state !== 'pending');
      },
      // Between two steps of the clock Alfred acknowledges what has come.
      { everyMs: 500 },
    );
}
const socketsAreOpen = () =>
  until('sockets are open again', () => env.slack.connections().filter(({ leaving }) => !leaving).length === 2);

test('no event is lost while sockets are closed, cut, or lose acknowledgements', async () => {
  env.script(() => ({ text: ['Yes.'] }));
  const asked: ReturnType<typeof env.slack.say>[] = [];
  const ask = (text: string) => asked.push(env.slack.say(user, channel, text));
  for (const how of ['refresh_requested', 'abrupt', 'warning'] as const) {
    ask(`before ${how}`);
    env.slack.faults.disconnectSockets(how);
    ask(`while ${how}`);
    await socketsAreOpen();
    env.slack.faults.loseAcknowledgements(1);
    ask(`after ${how}`);
  }
  await repeatsAreOver();
  for (const { ts } of asked) expect(await env.answersIn(channel, ts)).toHaveLength(1);
  expect(await env.tasks()).toHaveLength(asked.length);
});

test('messages come without a pause while sockets are replaced: each is stored, and once', async () => {
  const { id: busy } = env.slack.addChannel({ name: 'busy', members: [user] });
  const written: ReturnType<typeof env.slack.say>[] = [];
  let isOver = false;
  // They name no one: they are received, and not answered.
  const writing = (async () => {
    while (!isOver) {
      written.push(env.slack.say(user, busy, `Message ${written.length}`));
      await sleep(20);
    }
  })();
  for (const how of ['refresh_requested', 'abrupt', 'warning'] as const) {
    const before = written.length;
    await until('some messages have come', () => written.length >= before + 20);
    env.slack.faults.disconnectSockets(how);
    await until('some messages have come meanwhile', () => written.length >= before + 40);
    await socketsAreOpen();
  }
  isOver = true;
  await writing;
  await repeatsAreOver();
  await env.inboxIsEmpty();
  const { rows } = await env.postgres.pool.query<{ key: string }>(
    'select key from slack_inbox where completed_at is not null',
  );
  const keys = written.map(({ ts }) => `message:${env.slack.workspace.id}:${busy}:${ts}`);
  expect(rows.map(({ key }) => key).toSorted()).toEqual(keys.toSorted());
});

test('an event that the library of sockets cannot read ends nothing', async () => {
  env.script([{ text: ['Yes.'] }]);
  env.slack.deliver('event', { type: 'app_rate_limited', team_id: 'T1', minute_rate_limited: 1, api_app_id: 'A1' });
  await until('Slack has sent it', () => env.slack.deliveries.some(({ attempts }) => attempts.length > 0));
  const { ts } = env.slack.say(user, channel, 'Still there?');
  expect(await env.answersIn(channel, ts)).toHaveLength(1);
});

test('with a wrong token the bot says so, keeps what comes, and answers when Slack takes the token', async () => {
  await env.stopBot();
  env.slack.faults.fail('auth.test', 'invalid_auth', 2);
  env.script(() => ({ text: ['Yes.'] }));
  await env.startBot();
  const warning = () => env.readiness.read().then(({ dependencies }) => dependencies['slack']?.detail);
  expect(await until('a warning', warning, { accept: (text) => text.includes('SLACK_BOT_TOKEN') })).toContain(
    'invalid_auth',
  );
  const { ts } = env.slack.say(user, channel, 'Are you there?');
  expect(await env.answersIn(channel, ts)).toHaveLength(1);
  expect(await warning()).toBeUndefined();
});
