import { expect, test } from '@jest/globals';
import { isSlackAddress } from '../../../slack/api-calls/slack-address.ts';
import { createDownload } from '../../../slack/files/download.ts';
import { sharedFileIn } from '../../../slack/files/shared-file.ts';

const address = 'https://files.slack.com/files-pri/T1-F1/download/plan.txt';
const never = new AbortController().signal;
const file = (more: Record<string, unknown> = {}) => ({
  ...sharedFileIn({ id: 'F1', name: 'plan.txt', mimetype: 'text/plain', url_private_download: address, ...more })!,
  team: 'T1',
});

type Sent = { url: string; authorization: string | null };

/** Slack, which answers the addresses in turn. */
function createSlack(answers: (() => Response)[], apiUrl?: string) {
  const sent: Sent[] = [];
  const outcomes: string[] = [];
  const download = createDownload({
    tokenOf: (team) => `xoxb-${team}`,
    apiUrl,
    observe: ({ outcome }) => outcomes.push(outcome),
    pauseMs: 0,
    fetch: async (url, init) => {
      sent.push({
        url: url instanceof Request ? url.url : String(url),
        authorization: new Headers(init?.headers).get('authorization'),
      });
      expect(init?.redirect).toBe('manual');
      const answer = answers.shift();
      if (!answer) throw new TypeError('fetch failed');
      return answer();
    },
  });
  const read = async (given = file(), maxBytes = 100, signal = never) => {
    const downloaded = await download(given, { maxBytes, signal });
    return 'bytes' in downloaded ? Buffer.from(downloaded.bytes).toString() : downloaded.problem;
  };
  return { read, sent, outcomes };
}
const content =
  (text: string, type = 'text/plain') =>
  () =>
    new Response(text, { headers: { 'content-type': type } });
const status =
  (code: number, headers: Record<string, string> = {}) =>
  () =>
    new Response(null, { status: code, headers });

test('a file is read with the token of its workspace', async () => {
  const { read, sent, outcomes } = createSlack([content('Plan B')]);
  expect(await read()).toBe('Plan B');
  expect(sent).toEqual([{ url: address, authorization: 'Bearer xoxb-T1' }]);
  expect(outcomes).toEqual(['ok']);
});

test.each([
  ['https://files.slack.com/a', true],
  ['https://acme.enterprise.slack.com/a', true],
  ['https://slack.com/a', true],
  ['http://files.slack.com/a', false],
  ['https://files.slack.com:8443/a', false],
  ['https://files.slack.com.example.com/a', false],
  ['https://notslack.com/a', false],
  ['https://drive.example.com/a', false],
])('%s may have the token: %s', (url, isAllowed) => {
  expect(isSlackAddress(new URL(url), undefined)).toBe(isAllowed);
});

test('in a trial the token goes to the trial, and to no other port of its machine', () => {
  const apiUrl = 'http://127.0.0.1:4000/api/';
  expect(isSlackAddress(new URL('http://127.0.0.1:4000/files-pri/a'), apiUrl)).toBe(true);
  expect(isSlackAddress(new URL('http://127.0.0.1:4001/files-pri/a'), apiUrl)).toBe(false);
});

test('a file elsewhere is not asked for', async () => {
  const { read, sent } = createSlack([content('secret')]);
  expect(await read(file({ url_private_download: 'https://drive.example.com/a' }))).toBe('elsewhere');
  expect(await read(file({ url_private_download: 'no address' }))).toBe('elsewhere');
  expect(sent).toEqual([]);
});

test('where Slack leads on, the token goes only if that is Slack', async () => {
  const within = createSlack([status(302, { location: 'https://acme.slack.com/b' }), content('Plan B')]);
  expect(await within.read()).toBe('Plan B');
  expect(within.sent.map(({ url }) => url)).toEqual([address, 'https://acme.slack.com/b']);
  const away = createSlack([status(302, { location: 'https://example.com/b' }), content('caught')]);
  expect(await away.read()).toBe('not_given');
  expect(away.sent).toHaveLength(1);
  const around = createSlack(Array.from({ length: 9 }, () => status(302, { location: address })));
  expect(await around.read()).toBe('not_given');
  expect(around.sent.length).toBeLessThan(9);
});

test('the page on which people sign in is no file', async () => {
  const page = '<html>Sign in</html>';
  const { read, outcomes } = createSlack([content(page, 'text/html; charset=utf-8')]);
  expect(await read()).toBe('not_given');
  expect(outcomes).toEqual(['missing_scope']);
  const asHtml = { mimetype: 'text/html', name: 'page.html' };
  expect(await createSlack([content(page, 'text/html')]).read(file({ ...asHtml, size: 99 }))).toBe('not_given');
  expect(await createSlack([content(page, 'text/html')]).read(file({ ...asHtml, size: page.length }))).toBe(page);
});

test('a file that is too large is not read to its end', async () => {
  const declared = createSlack([]);
  expect(await declared.read(file({ size: 101 }))).toBe('too_large');
  expect(declared.sent).toEqual([]);
  expect(await createSlack([content('x'.repeat(101))]).read()).toBe('too_large');
  let pieces = 0;
  const endless = () =>
    new Response(
      new ReadableStream({
        pull(controller) {
          pieces += 1;
          controller.enqueue(new Uint8Array(30));
        },
      }),
    );
  expect(await createSlack([endless]).read()).toBe('too_large');
  expect(pieces).toBeLessThan(10);
});

test('what Slack fails to answer is tried again, three times', async () => {
  const { read, outcomes } = createSlack([status(503), status(500), content('Plan B')]);
  expect(await read()).toBe('Plan B');
  expect(outcomes).toEqual(['unavailable', 'unavailable', 'ok']);
  const away = createSlack([]);
  expect(await away.read()).toBe('unavailable');
  expect(away.sent).toHaveLength(3);
});

test('what is gone or refused is not tried again', async () => {
  for (const [code, problem] of [
    [404, 'gone'],
    [410, 'gone'],
    [403, 'not_given'],
  ] as const) {
    const { read, sent } = createSlack([status(code)]);
    expect(await read()).toBe(problem);
    expect(sent).toHaveLength(1);
  }
});

test('it ends with the signal', async () => {
  const { read } = createSlack([status(503)]);
  await expect(read(file(), 100, AbortSignal.abort(new Error('the process stops')))).rejects.toThrow(
    'the process stops',
  );
});
