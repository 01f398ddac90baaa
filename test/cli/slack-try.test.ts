import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openPage, wordsOf } from '../deploy/slack-try/read-page.ts';
import { createTaskHarness, type TaskHarness } from '../support/tasks/task-harness.ts';
import { until } from '../support/until.ts';
import { alfred, runAlfred } from './run-alfred.ts';

let harness: TaskHarness;
beforeAll(async () => {
  harness = await createTaskHarness();
});
afterAll(() => harness?.close());

const environment = () => {
  const { DATABASE_URL, TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, ALFRED_DATA_DIR, SLACK_AGENT } = harness.config;
  // Nothing of a stack that runs on this machine.
  const tokens = { SLACK_BOT_TOKEN: '', SLACK_APP_TOKEN: '', SLACK_SIGNING_SECRET: '', SLACK_PORT: '1' };
  const servers = { DATABASE_URL, TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, ALFRED_DATA_DIR };
  return { ...servers, SLACK_AGENT, ...tokens, NO_COLOR: '1' };
};

test('the trial answers a direct message on its page, and ends by a signal', async () => {
  harness.script(() => ({ text: ['Thirty **days**.'] }));
  const run = runAlfred(['slack', 'try', '--json'], environment());
  let output = '';
  run.child.stdout.on('data', (text: string) => {
    output += text;
  });
  await run.waitForOutput('}');
  const { url } = JSON.parse(output) as { url: string };
  const page = await openPage(url);
  try {
    const { id } = page.channel('Alfred', 'im');
    expect(await page.act({ do: 'write', channel: id, text: 'How many days do I have?' })).toBe('');
    const answer = await until('the answer', () =>
      page
        .channel('Alfred')
        .messages.find(
          ({ fromApp, isStreaming, body }) => fromApp && !isStreaming && wordsOf(body).includes('knowledge'),
        ),
    );
    expect(wordsOf(answer.body)).toContain(wordsOf({ tag: 'strong', children: ['days'] }));
    expect(await page.act({ do: 'write', channel: id, text: '/alfred help' })).toBe('');
    await until('the list of commands', () => page.channel('Alfred').messages.some(({ isPrivate }) => isPrivate));
  } finally {
    await page.close();
    run.child.kill('SIGTERM');
  }
  expect(await run.done).toMatchObject({ code: 0 });
});

test('without a stack it says how to start one', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'alfred-try-'));
  const result = await alfred(['slack', 'try'], { ALFRED_DATA_DIR: dir, NO_COLOR: '1' });
  await rm(dir, { recursive: true });
  expect(result).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('`npm start`') });
});

test('a door that does not start ends the command, with its reason', async () => {
  const result = await alfred(['slack', 'try'], { ...environment(), SLACK_AGENT: 'butler' });
  expect(result).toMatchObject({
    code: 2,
    stdout: '',
    stderr: expect.stringContaining('SLACK_AGENT names an agent that does not exist: "butler"'),
  });
});

test('beside another Slack door, or where another workspace’s messages wait, it does not start', async () => {
  const health = { status: 'ready', dependencies: { slack: { status: 'ok' } } };
  const door = createServer((_, response) => response.end(JSON.stringify(health))).listen(0, '127.0.0.1');
  await once(door, 'listening');
  const { port } = door.address() as { port: number };
  const beside = await alfred(['slack', 'try'], { ...environment(), SLACK_PORT: String(port) });
  door.close();
  expect(beside).toMatchObject({ code: 1, stderr: expect.stringContaining('is in Slack already') });

  await harness.slackInbox.store({ key: 'message:T9:C9:1', kind: 'event', team: 'T9', lane: 'T9:C9:1', body: {} });
  const mixed = await alfred(['slack', 'try'], environment());
  expect(mixed).toMatchObject({ code: 1, stderr: expect.stringContaining('Messages of the workspace T9 wait') });
  const { code, stderr } = await alfred(['slack', 'try', '--port', '0'], environment());
  expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining('expected a whole number') });
});
