import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { blockedTurn } from '../api/open-conversation.ts';
import { until } from '../support/until.ts';
import { createSlackHarness, type SlackHarness } from './slack-harness.ts';

let env: SlackHarness;
beforeAll(async () => {
  const settings = JSON.stringify({ knowledge: { onBusy: 'steer' } });
  env = await createSlackHarness({ ALFRED_AGENTS: settings }, { rateLimits: false });
});
afterAll(() => env?.close());

test('a message that the running task did not read any more is answered in its own turn', async () => {
  const first = blockedTurn('The first.');
  const requests = env.script([first.turn, { text: ['The second.'] }]);
  const user = env.slack.addUser({ name: 'mia' });
  const { id: channel } = env.slack.directMessage(user);
  const { ts } = env.slack.say(user, channel, 'One?');
  await until('the model is asked', () => requests.length === 1);
  env.slack.say(user, channel, 'Two?', ts);
  await until('Alfred says that it takes the message in', () =>
    env.slack.view(channel, ts).some(({ shown }) => shown.includes('I take this into the answer')),
  );
  first.release();
  const answers = await env.answersIn(channel, ts, 2);
  expect(answers.map(({ shown }) => shown)).toEqual([
    expect.stringContaining('The first.'),
    expect.stringContaining('The second.'),
  ]);
});
