import { expect, test } from '@jest/globals';
import { createFakeSlack } from '../../../deploy/slack/fake/fake-slack.ts';
import { createSocketReceiver } from '../../../slack/receiving/socket-receiver.ts';
import { until } from '../../support/until.ts';

const ignore = () => undefined;

test('a socket that closes right after it was opened is replaced after a pause, which grows', async () => {
  const slack = createFakeSlack({ rateLimits: false });
  await slack.start();
  const opened: number[] = [];
  const sockets = createSocketReceiver({
    appToken: slack.app.appToken,
    apiUrl: slack.apiUrl,
    receive: async () => true,
    log: {
      info: (_: unknown, text?: string) => {
        if (text === 'a socket to Slack is open') opened.push(performance.now());
      },
      warn: ignore,
      error: ignore,
    } as never,
    metrics: { slackSockets: { set: ignore } } as never,
    sockets: 1,
  });
  sockets.start();
  for (let count = 1; count <= 3; count++) {
    await until(`socket ${count} is open`, () => opened.length >= count);
    slack.faults.disconnectSockets('abrupt');
  }
  await sockets.stop();
  await slack.stop();
  const [first = 0, second = 0, third = 0] = opened;
  expect(second - first).toBeGreaterThan(200);
  expect(third - second).toBeGreaterThan(450);
});
