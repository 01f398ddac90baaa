import { deflateSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { createAdapters } from '../../../wiring/adapters.ts';
import { createOutbound } from '../../../adapters/outbound/outbound.ts';
import { checkPack } from '../../../knowledge/sources/git/check-pack.ts';
import { createGitSource } from '../../../knowledge/sources/git/git-source.ts';
import { documentsQueue, sourceWorkflowId } from '../../../contract/ids.ts';
import { SourceRequest } from '../../../contract/sources.ts';
import { createMetrics } from '../../../runtime/metrics.ts';
import { startWorkers } from '../../../workers/compose.ts';
import { createTestEnvironment } from '../../support/environment/environment.ts';
import { createGitServer, type GitServer } from '../../support/fakes/git-server.ts';

const scope = { tenant: 'local', subject: 'local' };
const signal = new AbortController().signal;
let server: GitServer;
const made: { close(): void }[] = [];
beforeAll(async () => {
  server = await createGitServer();
  await server.commit({
    'README.md': '# Handbook',
    'hr/leave.md': '# Leave\n\nTwenty-five days.',
    'hr/deep/er/travel.txt': 'By train.',
    'hr/photo.png': 'x',
    'hr-secret/x.md': '# Secret',
  });
}, 30_000);
afterEach(() => {
  server.answerWith(undefined);
  for (const one of made.splice(0)) one.close();
});
afterAll(() => server?.close());

function source({ maxBytes = 1_000_000, packBytes = 10_000_000, allow = ['127.0.0.1'] } = {}) {
  const git = createGitSource({
    outbound: createOutbound({ allow, maxBytes: packBytes, timeoutMs: 10_000 }),
    maxBytes,
  });
  made.push(git);
  return git;
}
const at = (options: object = {}, address = server.url) => ({ kind: 'git', address, options }) as const;
const names = async (options: object = {}) =>
  (await source().list(at(options), signal)).items.map(({ name }) => name.replace(`${server.host}/handbook/`, ''));

test('the readable files of the newest commit are listed with their blobs, of a folder or a branch', async () => {
  expect((await names()).sort()).toEqual(['README.md', 'hr-secret/x.md', 'hr/deep/er/travel.txt', 'hr/leave.md']);
  for (const folder of ['hr', '/hr/'])
    expect((await names({ folder })).sort()).toEqual(['hr/deep/er/travel.txt', 'hr/leave.md']);
  await server.commit({ 'draft.md': '# Draft' }, 'next');
  expect(await names({ branch: 'next' })).toContain('draft.md');
  expect(await names()).not.toContain('draft.md');
  await expect(names({ branch: 'nowhere' })).rejects.toMatchObject({ code: 'source_unreadable', message: /branch/ });
});

test('a file is read from one fetch, also side by side and in another process, and told as unchanged or gone', async () => {
  const git = source();
  const read = (path: string, etag: string | null = null) =>
    git.read(at(), { name: path, address: path, validators: { etag, lastModified: null } }, signal);
  server.requests.length = 0;
  const [leave, travel] = await Promise.all([read('hr/leave.md'), read('hr/deep/er/travel.txt')]);
  expect(server.requests.filter((one) => one.startsWith('POST'))).toHaveLength(1);
  expect(Buffer.from(travel.state === 'read' ? travel.bytes : '').toString()).toBe('By train.');
  expect(await read('hr/leave.md', leave.state === 'read' ? leave.etag : null)).toEqual({ state: 'unchanged' });
  expect(await read('hr/nothing.md')).toEqual({ state: 'gone' });
  await expect(
    source({ maxBytes: 5 }).read(
      at(),
      { name: '', address: 'README.md', validators: { etag: null, lastModified: null } },
      signal,
    ),
  ).rejects.toMatchObject({ code: 'file_too_large' });
});

test('what is wrong with a repository is said', async () => {
  const list = (more: Parameters<typeof source>[0] = {}, address = server.url) =>
    source(more).list(at({}, address), signal);
  await expect(list({}, server.url.replace('handbook', 'nothing'))).rejects.toMatchObject({
    code: 'source_unreadable',
  });
  await expect(list({ allow: [] })).rejects.toMatchObject({ code: 'destination_forbidden' });
  await expect(list({ packBytes: 300 })).rejects.toMatchObject({ code: 'file_too_large' });
  await expect(list({}, 'http://127.0.0.1:9/a.git')).rejects.toMatchObject({ code: 'source_unreachable' });
  for (const [status, code] of [
    [401, 'source_refused'],
    [302, 'source_refused'],
    [503, 'source_unreachable'],
    [200, 'source_unreadable'],
  ] as const) {
    server.answerWith((_, response) => response.writeHead(status, { location: 'http://10.0.0.1/' }).end('<html>'));
    await expect(list()).rejects.toMatchObject({ code });
  }
});

test('branches that are named like a way out of the folder are refused before anything is written', async () => {
  const oid = 'a'.repeat(40);
  const line = (text: string) => (text.length + 4).toString(16).padStart(4, '0') + text;
  server.answerWith((_, response) =>
    response
      .writeHead(200, { 'content-type': 'application/x-git-upload-pack-advertisement' })
      .end(
        `${line('# service=git-upload-pack\n')}0000${line(`${oid} HEAD\0symref=HEAD:refs/heads/../../../../out shallow\n`)}${line(`${oid} refs/heads/../../../../out\n`)}0000`,
      ),
  );
  server.requests.length = 0;
  await expect(source().list(at(), signal)).rejects.toMatchObject({ code: 'source_unreadable' });
  expect(server.requests).toHaveLength(1);
});

describe('a pack', () => {
  const limits = { objectBytes: 10_000, totalBytes: 25_000 };
  const pack = (...objects: Buffer[]) => {
    const header = Buffer.alloc(12);
    header.write('PACK\0\0\0\u0002', 'latin1');
    header.writeUInt32BE(objects.length, 8);
    return Buffer.concat([header, ...objects, Buffer.alloc(20)]);
  };
  /** What it says of its size is a lie. */
  const blob = (bytes: number) => Buffer.concat([Buffer.of(0x31), deflateSync(Buffer.alloc(bytes))]);
  const delta = (...varints: number[]) =>
    Buffer.concat([Buffer.of(0x75), Buffer.alloc(20), deflateSync(Buffer.of(...varints))]);

  test('of modest objects passes', async () => {
    await checkPack(pack(blob(9_000), blob(9_000), delta(1, 0xff, 0x0f)), limits);
  });

  test.each([
    ['an object unpacks to too much', pack(blob(10), blob(20_000_000))],
    ['all unpack to too much', pack(blob(9_000), blob(9_000), blob(9_000))],
    ['a delta makes too much', pack(blob(10), delta(1, 0xff, 0xff, 0xff, 0xff, 0x7f))],
  ])('in which %s is refused', async (_, bytes) => {
    await expect(checkPack(bytes, limits)).rejects.toMatchObject({ code: 'file_too_large' });
  });

  test.each([[Buffer.from('nothing')], [pack(Buffer.of(0x31, 1, 2, 3))], [Buffer.alloc(0)]])(
    'that is none is refused',
    async (bytes) => {
      await expect(checkPack(bytes, limits)).rejects.toMatchObject({ code: 'source_unreadable' });
    },
  );
});

test('a sync reads a folder once, and then only files that another commit has changed', async () => {
  const env = await createTestEnvironment({ ALFRED_SHUTDOWN_GRACE_S: '0', ALFRED_OUTBOUND_ALLOW: '127.0.0.1' });
  const adapters = createAdapters(env);
  const workers = await startWorkers({ ...env, metrics: createMetrics() }, adapters, [documentsQueue]);
  try {
    const { id } = await adapters.sources.create(
      scope,
      SourceRequest.parse({ kind: 'git', address: server.url, options: { folder: 'hr' } }),
    );
    const ref = { ...scope, sourceId: id };
    const sync = async () => {
      await adapters.sources.requestSync(ref);
      await adapters.workflows.syncSource(ref);
      await env.client.workflow.getHandle(sourceWorkflowId(id)).result();
      return (await adapters.sources.get(scope, id))?.sync;
    };
    expect(await sync()).toMatchObject({ state: 'completed', counts: { added: 2, failed: 0 } });
    await server.commit({
      'hr/leave.md': '# Leave\n\nThirty days.',
      'hr/deep/er/travel.txt': null,
      'hr/pets.md': '# Pets',
    });
    expect(await sync()).toMatchObject({ counts: { replaced: 1, added: 1, removed: 1 } });
    expect(await sync()).toMatchObject({ counts: { unchanged: 2 } });
    const { documents } = await adapters.documents.list(scope, { limit: 10 });
    expect(documents.map(({ name }) => name)).toEqual(
      ['leave.md', 'pets.md'].map((name) => `${server.host}/handbook/hr/${name}`),
    );
  } finally {
    await workers.stop();
    await adapters.close();
    await env.close();
  }
}, 60_000);
