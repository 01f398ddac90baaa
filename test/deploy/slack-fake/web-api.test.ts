import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { WebClient } from '@slack/web-api';
import { createFakeSlack, type FakeSlack } from '../../../deploy/slack/fake/fake-slack.ts';

let slack: FakeSlack;
let client: WebClient;

beforeEach(async () => {
  slack = createFakeSlack();
  await slack.start();
  client = new WebClient(slack.workspace.botToken, { slackApiUrl: slack.apiUrl, rejectRateLimitedCalls: true });
});

afterEach(() => slack.stop());

test('a posted message is what the person sees', async () => {
  const ada = slack.addUser({ name: 'ada' });
  const channel = slack.directMessage(ada);
  const question = slack.say(ada, channel, 'What is due?');
  const posted = await client.chat.postMessage({ channel: channel.id, text: 'Nothing.', thread_ts: question.ts });
  expect(slack.view(channel, question.ts).map(({ shown, fromApp }) => ({ shown, fromApp }))).toEqual([
    { shown: 'What is due?', fromApp: false },
    { shown: 'Nothing.', fromApp: true },
  ]);
  expect(posted.message?.thread_ts).toBe(question.ts);
});
