import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { createAdapters, type Adapters } from '../../../wiring/adapters.ts';
import { createS3Source } from '../../../knowledge/sources/s3/s3-source.ts';
import { documentsQueue, sourceWorkflowId } from '../../../contract/ids.ts';
import { isAllowedPrefix, SourceRequest } from '../../../contract/sources.ts';
import { createMetrics } from '../../../runtime/metrics.ts';
import { startWorkers, type RunningWorkers } from '../../../workers/compose.ts';
import { createTestEnvironment, type TestEnvironment } from '../../support/environment/environment.ts';
import { createFakeS3, s3Keys, type FakeS3 } from '../../support/fakes/fake-s3.ts';

const scope = { tenant: 'local', subject: 'local' };
const signal = new AbortController().signal;
let s3: FakeS3;
beforeEach(async () => {
  s3 = await createFakeS3({ pageSize: 2 });
});
afterEach(() => s3.close());

const createReader = (config: object = {}) =>
  createS3Source(
    { ...s3Keys, S3_ENDPOINT: s3.url, ALFRED_S3_PREFIXES: ['company-files'], ...config },
    { maxBytes: 100 },
  );
const locationOf = (address: string) => ({ kind: 's3', address, options: {} }) as const;
const list = (address: string, config = {}) => createReader(config).list(locationOf(address), signal);
const read = (key: string, etag: string | null = null) =>
  createReader().read(
    locationOf('s3://company-files'),
    { name: key, address: `s3://company-files/${key}`, validators: { etag, lastModified: null } },
    signal,
  );

test('a prefix is listed over all pages, as a folder, with only the readable files', async () => {
  const keys = ['handbook/a.md', 'handbook/b c+ü&<.txt', 'handbook/deep/er/c.PDF', 'handbook/d.html', 'handbook/e.csv'];
  for (const key of [...keys, 'handbook/', 'handbook/photo.png', 'handbook/noname', 'handbook-secret/x.md', 'y.md'])
    s3.put(key, key);
  for (const address of ['s3://company-files/handbook', 's3://company-files/handbook/']) {
    const { items, isWhole } = await list(address);
    expect(items.map(({ name }) => name).sort()).toEqual(keys.map((key) => `company-files/${key}`).sort());
    expect([isWhole, items.every(({ etag }) => /^"\w{32}"$/.test(etag ?? ''))]).toEqual([true, true]);
  }
  expect((await list('s3://company-files')).items).toHaveLength(7);
  const { items } = await list('s3://company-files/handbook');
  for (const { address } of items) {
    const key = address.slice('s3://company-files/'.length);
    expect(await read(key)).toMatchObject({ state: 'read', bytes: Buffer.from(key) });
  }
});

test('names that are too long are shortened, keep their extension, and stay valid Unicode', async () => {
  for (let length = 450; length < 475; length++) s3.put(`${'x'.repeat(length)}${'😀'.repeat(40)}.md`, 'x');
  const { items } = await list('s3://company-files');
  const names = items.map(({ name }) => name);
  expect([names.length, new Set(names).size]).toEqual([25, 25]);
  for (const name of names) {
    expect([name.isWellFormed(), name.length <= 512]).toEqual([true, true]);
    expect(name).toMatch(/~[0-9a-f]{16}\.md$/);
  }
});

test('an object is reported as read, unchanged, gone, forbidden or too large', async () => {
  s3.put('a.md', 'Hello.');
  const first = await read('a.md');
  expect(first).toMatchObject({ state: 'read', bytes: Buffer.from('Hello.'), typeDecides: false });
  expect(await read('a.md', first.state === 'read' ? first.etag : null)).toEqual({ state: 'unchanged' });
  s3.remove('a.md');
  expect(await read('a.md')).toEqual({ state: 'gone' });
  s3.put('closed.md', 'x');
  s3.denyReads('closed.md');
  await expect(read('closed.md')).rejects.toMatchObject({ code: 'source_refused', message: /AccessDenied/ });
  s3.put('large.md', 'x'.repeat(101));
  await expect(read('large.md')).rejects.toMatchObject({ code: 'file_too_large', message: /ALFRED_MAX_UPLOAD_MB/ });
});

test('each fault of a bucket has its error code', async () => {
  await expect(list('s3://nobodys-files', { ALFRED_S3_PREFIXES: ['nobodys-files'] })).rejects.toMatchObject({
    code: 'source_unreadable',
    message: 'There is no bucket nobodys-files.',
  });
  await expect(list('s3://other-files')).rejects.toMatchObject({ code: 'source_unconfigured' });
  await expect(list('s3://company-files', { S3_SECRET_ACCESS_KEY: 'wrong' })).rejects.toMatchObject({
    code: 'source_refused',
    message: expect.stringMatching(/SignatureDoesNotMatch/),
  });
  s3.setAvailable(false);
  await expect(list('s3://company-files')).rejects.toMatchObject({ code: 'source_unreachable', message: /503/ });
  await expect(list('s3://company-files', { S3_ENDPOINT: 'http://127.0.0.1:9' })).rejects.toMatchObject({
    code: 'source_unreachable',
  });
});

test.each([
  [['company-files'], 's3://company-files', true],
  [['company-files'], 's3://company-files/a/b', true],
  [['company-files'], 's3://company-files-secret/a', false],
  [['company-files/handbook'], 's3://company-files/handbook', true],
  [['company-files/handbook/'], 's3://company-files/handbook/a', true],
  [['company-files/handbook'], 's3://company-files/handbook-secret', false],
  [['company-files/handbook'], 's3://company-files', false],
  [[], 's3://company-files', false],
])('with the prefixes %j, %s is allowed: %s', (prefixes, address, isAllowed) => {
  expect(isAllowedPrefix(prefixes, address)).toBe(isAllowed);
});

test.each(['s3://', 's3://A', 'https://bucket.example', 's3:/company-files', 's3://company-files/a\u0000'])(
  '%j is not the address of a bucket',
  (address) => {
    expect(SourceRequest.safeParse({ kind: 's3', address }).success).toBe(false);
  },
);

let env: TestEnvironment;
let adapters: Adapters;
let workers: RunningWorkers;
beforeAll(async () => {
  env = await createTestEnvironment({ ALFRED_SHUTDOWN_GRACE_S: '0' });
});
afterAll(async () => {
  await workers?.stop();
  await adapters?.close();
  await env?.close();
});

test('a sync reads a bucket once, and then only objects whose ETag has changed', async () => {
  const config = { ...env.config, ...s3Keys, S3_ENDPOINT: s3.url, ALFRED_S3_PREFIXES: ['company-files/handbook'] };
  adapters = createAdapters({ ...env, config });
  workers = await startWorkers({ ...env, metrics: createMetrics() }, adapters, [documentsQueue]);
  for (const name of ['a', 'b', 'c']) s3.put(`handbook/${name}.md`, `# ${name}\n\nAll about ${name}.`);
  s3.put('handbook/broken.pdf', 'no PDF');
  const { id } = await adapters.sources.create(
    scope,
    SourceRequest.parse({ kind: 's3', address: 's3://company-files/handbook' }),
  );
  const source = { ...scope, sourceId: id };
  const sync = async () => {
    await adapters.sources.requestSync(source);
    await adapters.workflows.syncSource(source);
    await env.client.workflow.getHandle(sourceWorkflowId(id)).result();
    return (await adapters.sources.get(scope, id))?.sync;
  };
  expect(await sync()).toMatchObject({ state: 'completed', counts: { added: 3, failed: 1 } });
  s3.put('handbook/b.md', '# b\n\nNothing about b.');
  s3.remove('handbook/c.md');
  s3.takeRequests();
  expect(await sync()).toMatchObject({ counts: { replaced: 1, unchanged: 1, removed: 1, failed: 1 } });
  expect(
    s3
      .takeRequests()
      .filter((request) => !request.startsWith('list'))
      .sort(),
  ).toEqual(['handbook/b.md', 'handbook/broken.pdf']);
  const { documents } = await adapters.documents.list(scope, { limit: 10 });
  expect(documents.map(({ name }) => name)).toEqual(['company-files/handbook/a.md', 'company-files/handbook/b.md']);
});
