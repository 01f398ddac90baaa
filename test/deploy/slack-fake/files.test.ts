import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { Upload } from '../../../deploy/slack/fake/people.ts';
import { outcomeOf, startFakeWithClients, type FakeWithClients } from '../../support/slack/slack-clients.ts';

let fake: FakeWithClients;
beforeEach(async () => {
  fake = await startFakeWithClients();
});
afterEach(() => fake.stop());

type EventFile = Record<string, unknown> & { id: string; url_private?: string };

/** Uploads, and returns the file as the event shows it. */
function upload(more: Partial<Upload> = {}) {
  const { slack, ada, general } = fake;
  const act = slack.upload(ada, general, { name: 'plan.txt', content: 'Plan B', ...more }, { text: 'see' });
  const event = act.deliveries[0]?.payload['event'] as { files: EventFile[] };
  return { ...act, file: event.files[0]! };
}
const read = (url: string, token = fake.slack.workspace.botToken) =>
  fetch(url, { headers: { authorization: `Bearer ${token}` }, redirect: 'manual' });

test('a download needs the token and its scope; without them it is the page to sign in', async () => {
  const { slack } = fake;
  const url = String(upload().file['url_private_download']);
  expect(await (await read(url)).text()).toBe('Plan B');
  for (const answer of [await fetch(url), await read(url, 'xoxb-unknown')])
    expect([answer.status, await answer.text()]).toEqual([200, expect.stringContaining('Sign in')]);
  slack.workspace.scopes.delete('files:read');
  expect(await (await read(url)).text()).toContain('Sign in');
  expect(slack.downloads.map(({ outcome }) => outcome)).toEqual(['ok', 'sign_in', 'sign_in', 'sign_in']);
});

test('a file elsewhere has its own address, and of a hidden or deleted one only the id is shown', () => {
  expect(upload({ mode: 'external' }).file).toMatchObject({ mode: 'external', is_external: true });
  expect(upload({ mode: 'external' }).file).not.toHaveProperty('url_private_download');
  for (const mode of ['tombstone', 'hidden_by_limit'] as const)
    expect(upload({ mode }).file).toEqual({ id: expect.any(String), mode });
});

test('of a file that an event only names, files.info has the rest', async () => {
  const { file } = upload({ onlyNamed: true });
  expect(file).toMatchObject({ file_access: 'check_file_info' });
  expect(file).not.toHaveProperty('url_private');
  const { file: described } = await fake.client.files.info({ file: file.id });
  expect(described).toMatchObject({ name: 'plan.txt', file_access: 'visible' });
  fake.slack.workspace.scopes.delete('files:read');
  expect(await outcomeOf(fake.client.files.info({ file: file.id }))).toBe('missing_scope');
});

test('a file that is shared again is the same file, also for a channel that did not have it', async () => {
  const { slack, ada } = fake;
  const { files } = upload();
  const other = slack.addChannel({ name: 'other', members: [ada] });
  const again = slack.shareAgain(ada, other, files[0]!, { text: 'here too' });
  const event = again.deliveries[0]?.payload['event'] as { subtype: string; files: EventFile[] };
  expect([event.subtype, event.files.map(({ id }) => id)]).toEqual(['file_share', files]);
});

test('downloads fail, wait and lead elsewhere as a test says', async () => {
  const { slack } = fake;
  const url = String(upload().file['url_private_download']);
  slack.faults.failDownloads(503);
  expect((await read(url)).status).toBe(503);
  slack.faults.redirectDownloads('https://example.com/');
  const led = await read(url);
  expect([led.status, led.headers.get('location')]).toEqual([302, 'https://example.com/']);
  slack.faults.redirectDownloads(undefined);
  const release = slack.faults.blockDownloads();
  const waiting = read(url);
  release();
  expect(await (await waiting).text()).toBe('Plan B');
});
