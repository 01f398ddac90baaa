import { once } from 'node:events';
import { request } from 'node:http';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { startPageServer } from '../../../deploy/slack/try/page-server.ts';
import { createTrial } from '../../../deploy/slack/try/trial.ts';
import { askAboutShortcutId } from '../../../slack/rendering/actions.ts';
import { until } from '../../support/until.ts';
import { openPage, wordsOf, type Page } from './read-page.ts';

const trial = createTrial();
const { slack } = trial;
let server: Awaited<ReturnType<typeof startPageServer>>;
const pages: Page[] = [];
beforeAll(async () => {
  await slack.start();
  server = await startPageServer(trial, 0);
});
afterEach(async () => {
  for (const page of pages.splice(0)) await page.close();
});
afterAll(async () => {
  await server.stop();
  await slack.stop();
});

async function pageOf(name: string): Promise<Page> {
  const page = await openPage(server.url, trial.people.find((person) => person.name === name)!.id);
  pages.push(page);
  return page;
}

/** By Node's own client: `fetch` sets these headers itself. */
async function ask(path: string, headers: Record<string, string>, body?: string) {
  const sent = request(server.url + path, { method: body === undefined ? 'GET' : 'POST', headers });
  sent.end(body);
  const [response] = (await once(sent, 'response')) as [import('node:http').IncomingMessage];
  response.resume();
  await once(response, 'end');
  return response;
}

async function callSlack(method: string, args: object): Promise<{ ts: string } & Record<string, unknown>> {
  const response = await fetch(`${slack.apiUrl}${method}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${slack.workspace.botToken}`, 'content-type': 'application/json' },
    body: JSON.stringify(args),
  });
  const answer = (await response.json()) as { ok: boolean; ts: string } & Record<string, unknown>;
  expect(answer).toMatchObject({ ok: true });
  return answer;
}

test('every answer allows scripts of its own alone, and no other page to embed it', async () => {
  const { host } = new URL(server.url);
  for (const [path, type] of [
    ['/', 'text/html'],
    ['/page.css', 'text/css'],
    ['/page.mjs', 'text/javascript'],
    ['/show-node.mjs', 'text/javascript'],
    ['/page-server.ts', 'text/plain'],
  ] as const) {
    const { headers, statusCode } = await ask(path, { host });
    expect(statusCode).toBe(path.endsWith('.ts') ? 404 : 200);
    expect(headers['content-type']).toContain(type);
    expect(headers['content-security-policy']).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    );
    expect(headers['x-content-type-options']).toBe('nosniff');
  }
});

test('another name that leads here, and another page in the browser, are refused', async () => {
  const { host, port } = new URL(server.url);
  const json = { 'content-type': 'application/json' };
  const statuses = [
    await ask('/', { host: `rebound.example:${port}` }),
    await ask('/', { host: `localhost:${port}` }),
    await ask('/events', { host, origin: 'https://evil.example' }),
    await ask('/act', { ...json, host, origin: 'https://evil.example' }, '{}'),
    await ask('/act', { host, 'content-type': 'text/plain' }, '{}'),
    await ask('/act', { ...json, host }, '{"do":"erase"}'),
  ].map(({ statusCode }) => statusCode);
  expect(statuses).toEqual([421, 200, 403, 403, 415, 400]);
});

test('a person writes, in threads too, and sees their own channels alone', async () => {
  const [ada, ben] = [await pageOf('ada'), await pageOf('ben')];
  const namesOf = (page: Page) => page.channels().map(({ name, kind }) => `${kind} ${name}`);
  expect(namesOf(ada)).toEqual(['public general', 'private finance', 'im Alfred']);
  expect(namesOf(ben)).toEqual(['public general', 'im Alfred']);

  const { id } = ada.channel('general');
  expect(await ada.act({ do: 'write', channel: id, text: '@Alfred and @ben, <b>see</b>' })).toBe('');
  const message = await until('the message', () => ben.channel('general').messages[0]);
  expect(message).toMatchObject({ name: 'ada', fromApp: false });
  expect(message.thread).toBeUndefined();
  expect(wordsOf(message.body)).toBe(
    wordsOf([
      { tag: 'span', children: ['@Alfred'], kind: 'mention' },
      ' and ',
      { tag: 'span', children: ['@ben'], kind: 'mention' },
      ', <b>see</b>',
    ]),
  );
  await ben.act({ do: 'write', channel: id, thread: message.ts, text: 'Yes.' });
  const reply = await until('the reply', () => ada.channel('general').messages[1]);
  expect(reply).toMatchObject({ name: 'ben', thread: message.ts, body: ['Yes.'] });
  expect(slack.deliveries.map(({ payload }) => payload['event'])).toContainEqual(
    expect.objectContaining({ type: 'app_mention', text: expect.stringContaining(`<@${slack.workspace.botUserId}>`) }),
  );
  expect(await ben.act({ do: 'write', channel: ada.channel('finance').id, text: 'Hello?' })).toContain(
    'is not in channel',
  );
  expect(await ada.act({ do: 'write', channel: id, text: '/remind me' })).toContain('/remind is no command here');
});

test('a person attaches files, with words or without, and all members see them', async () => {
  const [ada, ben] = [await pageOf('ada'), await pageOf('ben')];
  const { id: channel } = ada.channel('general');
  const files = [{ name: 'plan.txt', content: Buffer.from('Plan B').toString('base64') }];
  expect(await ada.act({ do: 'attach', channel, text: '@Alfred, see this', files })).toBe('');
  const shown = await until('the file', () =>
    ben.channel('general').messages.find(({ body }) => wordsOf(body).includes('[file: plan.txt]')),
  );
  expect(wordsOf(shown.body)).toContain('see this');
  expect(await ada.act({ do: 'attach', channel, thread: shown.ts, text: '', files })).toBe('');
  await until('the reply', () => ben.channel('general').messages.some(({ thread }) => thread === shown.ts));
  const sent = slack.deliveries.map(({ payload }) => payload['event'] as { files?: { id: string; size: number }[] });
  const [uploaded] = sent.flatMap((event) => event.files ?? []);
  expect(uploaded).toMatchObject({ name: 'plan.txt', size: 6 });
  expect(slack.file(uploaded!.id)?.content.toString()).toBe('Plan B');
});

test('a file that the app uploads is shown by its name, which stores it', async () => {
  const ada = await pageOf('ada');
  const { id: channel } = ada.channel('general');
  const given = { filename: 'sums.csv', length: 8 };
  const { upload_url: url, file_id: id } = await callSlack('files.getUploadURLExternal', given);
  await fetch(String(url), { method: 'POST', body: 'a,b\n1,2\n' });
  await callSlack('files.completeUploadExternal', { files: [{ id, title: 'sums.csv' }], channel_id: channel });
  const { body } = await until('the file', () =>
    ada.channel('general').messages.find((message) => wordsOf(message.body).includes('[file: sums.csv]')),
  );
  expect(body).toContainEqual({ tag: 'a', children: ['[file: sums.csv]'], href: `/files/${String(id)}` });
  const stored = await fetch(`${server.url}/files/${String(id)}`);
  expect(stored.headers.get('content-disposition')).toContain("filename*=UTF-8''sums.csv");
  expect(await stored.text()).toBe('a,b\n1,2\n');
  expect((await fetch(`${server.url}/files/F1`)).status).toBe(404);
});

test('what only one person sees, the app’s work and its buttons are shown, and a press reaches the app', async () => {
  const [ada, ben] = [await pageOf('ada'), await pageOf('ben')];
  const { id: channel } = ada.channel('general');
  const { ts } = slack.say(trial.people[0]!, channel, 'And now?');
  await callSlack('chat.postEphemeral', { channel, user: ada.state.as, text: 'For Ada alone.' });
  await callSlack('assistant.threads.setStatus', { channel_id: channel, thread_ts: ts, status: 'is thinking' });
  const seen = await until('the line for Ada', () =>
    ada.channel('general').messages.find(({ isPrivate }) => isPrivate),
  );
  expect(wordsOf(seen.body)).toContain('For Ada alone.');
  await until('the status', () => ben.channel('general').threads.some(({ status }) => status === 'is thinking'));
  expect(wordsOf(ben.channels())).not.toContain('For Ada alone.');

  const button = { type: 'button', action_id: 'approve', text: { type: 'plain_text', text: 'Approve' }, value: '7' };
  const sent = await callSlack('chat.postMessage', {
    channel,
    thread_ts: ts,
    text: 'May I?',
    blocks: [{ type: 'actions', elements: [button] }],
  });
  const answer = ada.act({ do: 'press', channel, ts: sent.ts, actionId: 'approve' });
  const pressed = await until('the press', () => slack.deliveries.find(({ kind }) => kind === 'interactive'));
  expect(pressed.payload).toMatchObject({
    type: 'block_actions',
    user: { id: ada.state.as },
    actions: [{ action_id: 'approve', value: '7' }],
  });
  // No app is connected here, so that Slack waits in vain.
  slack.clock.advance(3_000);
  expect(await answer).toBe('Alfred did not answer in three seconds.');
  const asked = ada.act({ do: 'ask-about', channel, ts });
  const isShortcut = ({ payload }: { payload: Record<string, unknown> }) => payload.type === 'message_action';
  const chosen = await until('the shortcut', () => slack.deliveries.find(isShortcut));
  expect(chosen.payload).toMatchObject({ callback_id: askAboutShortcutId, message: { ts } });
  slack.clock.advance(3_000);
  expect(await asked).toBe('Alfred did not answer in three seconds.');
});
