import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { documentsQueue } from '../../contract/ids.ts';
import { startWorkers, type RunningWorkers } from '../../workers/compose.ts';
import { createApiHarness, type ApiHarness } from '../api/api-harness.ts';
import { createWebhookReceiver, verifySignature, type WebhookReceiver } from '../support/fakes/webhook-receiver.ts';
import { until } from '../support/until.ts';
import { alfred } from './run-alfred.ts';

let harness: ApiHarness;
let workers: RunningWorkers;
let receiver: WebhookReceiver;
let folder: string;
beforeAll(async () => {
  receiver = await createWebhookReceiver();
  harness = await createApiHarness({ ALFRED_MAX_UPLOAD_MB: '0.02', ALFRED_OUTBOUND_ALLOW: '127.0.0.1' });
  workers = await startWorkers(harness, harness, [documentsQueue]);
  folder = await mkdtemp(join(tmpdir(), 'alfred-add-'));
  await mkdir(join(folder, 'rules'));
  // Each file is below the server's limit, and all together are far above it.
  for (let i = 0; i < 20; i++)
    await writeFile(
      join(folder, 'rules', `rule-${i}.md`),
      `# Rule ${i}\n\n${'Bicycles are parked outside. '.repeat(100)}`,
    );
});
afterAll(async () => {
  await workers?.stop();
  await harness?.close();
  await receiver?.down();
  await rm(folder, { recursive: true, force: true });
});

const run = (...args: string[]) => alfred(args, { ALFRED_URL: harness.url, NO_COLOR: '1' }, { cwd: folder });

test('a folder larger than the server’s limit is added completely, and adding it again changes nothing', async () => {
  const first = await run('documents', 'add', join(folder, 'rules'));
  expect({ code: first.code, stdout: first.stdout }).toEqual({
    code: 0,
    stdout: '20 added, 0 replaced, 0 unchanged, 0 failed\n',
  });
  const again = await run('documents', 'add', join(folder, 'rules'));
  expect(again.stdout).toBe('0 added, 0 replaced, 20 unchanged, 0 failed\n');
});

test('files that cannot be read are listed with the reason, the others are added, and the exit code is 1', async () => {
  const mixed = join(folder, 'mixed');
  await mkdir(mixed);
  await writeFile(join(mixed, 'good.md'), '# Good\n\nA sentence.');
  await writeFile(join(mixed, 'broken.pdf'), '%PDF-1.7 broken');
  await writeFile(join(mixed, 'large.md'), 'x '.repeat(30_000));
  const { code, stdout, stderr } = await run('documents', 'add', mixed);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '1 added, 0 replaced, 0 unchanged, 2 failed\n' });
  expect(stderr).toMatch(/mixed\/broken\.pdf: \S.{10,}/);
  expect(stderr).toMatch(/mixed\/large\.md: .*ALFRED_MAX_UPLOAD_MB/s);
});

test('failed files are read again with the ingestion’s id, which the command prints', async () => {
  const path = join(folder, 'late.pdf');
  await writeFile(path, '%PDF-1.7 still broken');
  const { stderr } = await run('documents', 'add', path);
  const id = /alfred documents retry (\S+)/.exec(stderr)?.[1] ?? '';
  const again = await run('documents', 'retry', id);
  expect(again).toMatchObject({ code: 1, stdout: '0 added, 0 replaced, 0 unchanged, 1 failed\n' });
  expect(again.stderr).toContain(`alfred documents retry ${id}`);
  await writeFile(join(folder, 'late.md'), '# Late');
  const fine = await run('documents', 'add', join(folder, 'late.md'));
  expect([fine.code, fine.stderr.includes('documents retry')]).toEqual([0, false]);
  const unknown = await run('documents', 'retry', '01a2016f-73a4-7695-9a05-0f2fb996e093');
  expect(unknown).toMatchObject({ code: 1, stderr: expect.stringContaining('There is no ingestion') });
});

test('collections are set, shown and listed, and invalid settings are refused', async () => {
  expect((await run('collections', 'set', 'rules', '--chunk-tokens', '100')).stdout).toMatch(/^chunk +100 tokens$/m);
  const set = await run('collections', 'set', 'rules', '--overlap-tokens', '20');
  expect(set.stdout).toMatch(/^chunk +100 tokens\noverlap +20 tokens$/m);
  expect((await run('collections')).stdout).toMatch(/^rules +100 +20 +0 +0 +0$/m);
  const changed = await run('collections', 'set', 'default', '--chunk-tokens', '64');
  expect(changed.stderr).toMatch(/\d+ documents cut by other settings/);
  expect((await run('collections', 'show', 'default')).stdout).toMatch(/^chunk +64 tokens$/m);
  expect((await run('collections', 'set', 'rules', '--overlap-tokens', '50')).code).toBe(2);
  expect((await run('collections', 'set', 'rules')).code).toBe(2);
  expect((await run('collections', 'set', 'rules', '--chunk-tokens', 'many')).code).toBe(2);
  expect(await run('collections', 'show', 'none')).toMatchObject({ code: 1 });
});

test('documents are listed, found and removed by name', async () => {
  expect((await run('documents', 'list')).stdout).toMatch(/^rules\/rule-7\.md +Rule 7/m);
  expect((await run('search', 'bicycles', 'parked')).stdout).toContain('Bicycles are parked outside.');
  expect((await run('documents', 'remove', 'rules/rule-7.md')).code).toBe(0);
  expect((await run('documents', 'list')).stdout).not.toContain('rule-7.md');
  const unknown = await run('documents', 'remove', 'rule-8');
  expect(unknown.code).toBe(1);
  expect(unknown.stderr).toContain('Did you mean rules/rule-8.md?');
});

test('a name that is in two collections is removed from the one that --collection names', async () => {
  const path = join(folder, 'twice.md');
  await writeFile(path, '# Twice');
  await run('documents', 'add', path);
  await run('documents', 'add', path, '-c', 'other');
  const listed = (await run('documents', 'list')).stdout;
  for (const collection of ['default', 'other'])
    expect(listed).toMatch(new RegExp(`twice\\.md +Twice +${collection} `));
  const name = `${basename(folder)}/twice.md`;
  const { code, stderr } = await run('documents', 'remove', name);
  expect([code, stderr]).toEqual([1, expect.stringMatching(/default, other.*--collection/s)]);
  expect((await run('documents', 'remove', name, '-c', 'other')).code).toBe(0);
  expect((await run('documents', 'remove', name)).code).toBe(0);
  expect((await run('documents', 'list')).stdout).not.toContain('twice.md');
});

test('nothing to add is a usage error', async () => {
  const empty = join(folder, 'empty');
  await mkdir(empty);
  const { code, stderr } = await run('documents', 'add', empty);
  expect(code).toBe(2);
  expect(stderr).toContain('There is nothing to add');
});

test('an upload that is not waited for is followed file by file, and its end is sent to the callback', async () => {
  const sent = join(folder, 'sent');
  await mkdir(sent);
  await writeFile(join(sent, 'one.md'), '# One');
  await writeFile(join(sent, 'empty.md'), '');
  const secret = `whsec_${Buffer.alloc(32, 9).toString('base64')}`;
  await writeFile(join(folder, 'secret'), `${secret}\n`);
  const options = ['--callback', `${receiver.url}/read`, '--callback-secret', join(folder, 'secret')];
  const added = await run('documents', 'add', sent, '--no-wait', ...options);
  expect(added).toMatchObject({ code: 0, stdout: expect.stringMatching(/^[0-9a-f-]{36}\n$/) });
  const id = added.stdout.trim();
  const followed = await run('documents', 'follow', id);
  expect(followed.code).toBe(1);
  expect(followed.stdout).toMatch(/^added {6}sent\/one\.md$/m);
  expect(followed.stdout).toMatch(/^failed {5}sent\/empty\.md: .*empty/m);
  expect(followed.stdout).toMatch(/^1 added, 0 replaced, 0 unchanged, 1 failed$/m);

  const path = `/v1/ingestions/${id}/callback`;
  await until('the callback is delivered', () => harness.http.get(path), {
    accept: ({ body }) => body.state === 'delivered',
  });
  expect((await run('documents', 'callback', id)).stdout).toMatch(/^state +delivered$/m);
  const [request] = receiver.received;
  if (!request) throw new Error('nothing was received');
  expect(request.headers['webhook-id']).toBe(`${id}.1`);
  const { links: _, ...ingestion } = (await harness.http.get(`/v1/ingestions/${id}`)).body;
  expect(verifySignature(secret, request)).toEqual({
    type: 'ingestion.completed',
    timestamp: ingestion.endedAt,
    data: ingestion,
  });
  expect(ingestion).toMatchObject({ outcome: 'some', counts: { added: 1, failed: 1 } });
  const posts = (count: number) =>
    until(`${count} posts are received`, () => receiver.received, { accept: ({ length }) => length === count });
  expect((await harness.http.post(path, {})).status).toBe(202);
  expect((await posts(2))[1]?.headers['webhook-id']).toBe(`${id}.2`);

  // A retry reports to the same address.
  const again = await harness.http.request(`/v1/ingestions/${id}/retry`, { method: 'POST' });
  const [, , third] = await posts(3);
  expect(third && verifySignature(secret, third)).toMatchObject({ data: { retryOf: id, outcome: 'none' } });
  expect(third?.headers['webhook-id']).toBe(`${again.body.id}.1`);
  const without = await harness.http.post('/v1/documents', { name: 'quiet.md', text: '# Quiet' });
  expect((await harness.http.get(`${without.body.links.self}/callback`)).body.code).toBe('callback_missing');
  const unknown = '/v1/ingestions/01a2016f-73a4-7695-9a05-0f2fb996e093/callback';
  expect((await harness.http.post(unknown, {})).body.code).toBe('not_found');
  expect((await run('documents', 'add', sent, '--callback', receiver.url)).code).toBe(2);
});

test('an invalid callback of an upload is refused, and its secret is not repeated', async () => {
  const form = (callback: string) => {
    const data = new FormData();
    data.append('file', new Blob(['# A']), 'a.md');
    data.append('callback', callback);
    return harness.http.request('/v1/documents', { method: 'POST', body: data });
  };
  for (const callback of ['nonsense', '{"url": "https://example.com"}', '{"url": "x", "secret": "hunter2"}']) {
    const { status, body } = await form(callback);
    expect([callback, status, body.code]).toEqual([callback, 422, 'invalid_request']);
    expect(body.issues[0].path).toMatch(/^callback/);
    expect(JSON.stringify(body)).not.toContain('hunter2');
  }
});

test('a document is shown with its kind and origin, and its text is printed in whole and in part', async () => {
  const path = join(folder, 'page.txt');
  await writeFile(path, '<!doctype html><title>Badges</title><p>A lost badge costs 25 EUR.</p>');
  await run('documents', 'add', path);
  const name = `${basename(folder)}/page.txt`;
  const shown = await run('documents', 'show', name);
  expect(shown.stdout).toMatch(/^read as +text\/html$/m);
  expect(shown.stdout).toContain('It came as .txt, but the content is a web page (HTML)');
  expect(shown.stdout).toMatch(/^from +\//m);
  expect((await run('documents', 'text', name, '--start', '2', '--end', '6', '--at-version', '1')).stdout).toBe('lost');
});

test('a folder of the same name elsewhere replaces nothing unless --replace says so, and a copy is named', async () => {
  for (const [place, text] of [
    ['here', 'Here.'],
    ['there', 'There.'],
  ] as const) {
    await mkdir(join(folder, place, 'guide'), { recursive: true });
    await writeFile(join(folder, place, 'guide/a.md'), text);
  }
  const [here, there] = [join(folder, 'here/guide'), join(folder, 'there/guide')];
  expect((await run('documents', 'add', here)).stdout).toMatch(/^1 added/);
  const refused = await run('documents', 'add', there);
  expect(refused).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/guide\/a\.md: .*here\).*--prefix.*--replace/s),
  });
  expect((await run('documents', 'add', there, '--replace')).stdout).toMatch(/1 replaced/);
  const copy = await run('documents', 'add', there, '--prefix', 'guide-2/');
  expect(copy.code).toBe(0);
  expect(copy.stderr).toContain('guide-2/a.md = guide/a.md');
});
