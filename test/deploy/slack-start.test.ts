import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, expect, test } from '@jest/globals';
import { createFakeSlack } from '../../deploy/slack/fake/fake-slack.ts';
import { until } from '../support/until.ts';
import { dataFolders, startLocal, stopLocal, type LocalStack } from './local-stack.ts';

const folders = dataFolders();
const slack = createFakeSlack();
let stack: LocalStack | undefined;
afterEach(async () => {
  if (stack) await stopLocal(stack);
  stack = undefined;
});
afterAll(async () => {
  await slack.stop();
  await folders.removeAll();
});
const ready = 'Ctrl-C ends it.';

test('npm start with two tokens in .env brings Alfred into Slack; without, it says that Slack is off', async () => {
  await slack.start();
  const dir = await folders.make();
  const tokens = { SLACK_BOT_TOKEN: slack.workspace.botToken, SLACK_APP_TOKEN: slack.app.appToken };
  const settings = { ...tokens, SLACK_API_URL: slack.apiUrl };
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`);
  await writeFile(join(dir, '.env'), lines.join(''), { mode: 0o600 });
  stack = startLocal(dir, { cwd: dir });
  await stack.waitForOutput(ready);
  expect(stack.output()).toMatch(/^Slack ready: /m);
  expect(stack.output()).toMatch(/^ {2}Slack +on: /m);
  for (const token of Object.values(tokens)) expect(stack.output()).not.toContain(token);

  const anna = slack.addUser({ name: 'anna' });
  const { id: channel } = slack.directMessage(anna);
  await until('the sockets are open', () => slack.connections().length === 2);
  const { ts } = slack.say(anna, channel, 'What is in my documents?');
  const answer = () => slack.view(channel, ts).find(({ fromApp, streaming }) => fromApp && streaming !== 'in_progress');
  expect((await until('an answer', answer)).shown).not.toBe('');
  const port = /^ {2}Slack +on: .*:(\d+)\/healthz/m.exec(stack.output())?.[1];
  expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).toBe(200);
  const { code, output } = await stopLocal(stack);
  expect({ code, isClean: output.includes('Stopped. All data are kept.') }).toEqual({ code: 0, isClean: true });

  await rm(join(dir, '.env'));
  stack = startLocal(dir, { cwd: dir });
  await stack.waitForOutput(ready);
  expect(stack.output()).toMatch(/^ {2}Slack +off: docs\/how-to\/slack.md/m);
});
