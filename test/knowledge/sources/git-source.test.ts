import type { ServerResponse } from 'node:http';
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
import { until } from '../../support/until.ts';
import { createGitServer, type GitServer } from '../../support/fakes/git-server.ts';

const scope = { tenant: 'local', subject: 'local' };
const signal = new AbortController().signal;
let server: GitServer;
const opened: { close(): void }[] = [];
beforeAll(async () => {
  server = await createGitServer();
  await server.commit({
    'README.md': '# Handbook',
    'hr/leave.md': '# Leave\n\nTwenty-five days.',
    'hr/deep/er/travel.txt': 'By train.',
    'hr/photo.png': 'x',
    'hr-secret/x.md': '# Secret',
  });
});
afterEach(() => {
  server.answerWith(undefined);
  for (const git of opened.splice(0)) git.close();
});
afterAll(() => server?.close());

function openSource({ maxBytes = 1_000_000, packBytes = 10_000_000, allow = ['127.0.0.1'] } = {}) {
  const git = createGitSource({
    outbound: createOutbound({ allow, maxBytes: packBytes, timeoutMs: 10_000 }),
    maxBytes,
  });
  opened.push(git);
  return git;
}
const locationOf = (options: object = {}, address = server.url) => ({ kind: 'git', address, options }) as const;
const listNames = async (options: object = {}) =>
  (await openSource().list(locationOf(options), signal)).items.map(({ name }) =>
    name.replace(`${server.host}/handbook/`, ''),
  );

test('the readable files of the newest commit are listed, from a folder or a branch', async () => {
  expect((await listNames()).sort()).toEqual(['README.md', 'hr-secret/x.md', 'hr/deep/er/travel.txt', 'hr/leave.md']);
  for (const folder of ['hr', '/hr/'])
    expect((await listNames({ folder })).sort()).toEqual(['hr/deep/er/travel.txt', 'hr/leave.md']);
  await server.commit({ 'draft.md': '# Draft' }, 'next');
  expect(await listNames({ branch: 'next' })).toContain('draft.md');
  expect(await listNames()).not.toContain('draft.md');
  await expect(listNames({ branch: 'nowhere' })).rejects.toMatchObject({
    code: 'source_unreadable',
    message: /branch/,
  });
});

test('files are read from one fetch, also concurrently, and reported as unchanged or gone', async () => {
  const git = openSource();
  const read = (path: string, etag: string | null = null) =>
    git.read(locationOf(), { name: path, address: path, validators: { etag, lastModified: null } }, signal);
  server.requests.length = 0;
  const [leave, travel] = await Promise.all([read('hr/leave.md'), read('hr/deep/er/travel.txt')]);
  expect(server.requests.filter((request) => request.startsWith('POST'))).toHaveLength(1);
  expect(Buffer.from(travel.state === 'read' ? travel.bytes : '').toString()).toBe('By train.');
  expect(await read('hr/leave.md', leave.state === 'read' ? leave.etag : null)).toEqual({ state: 'unchanged' });
  expect(await read('hr/nothing.md')).toEqual({ state: 'gone' });
  await expect(
    openSource({ maxBytes: 5 }).read(
      locationOf(),
      { name: '', address: 'README.md', validators: { etag: null, lastModified: null } },
      signal,
    ),
  ).rejects.toMatchObject({ code: 'file_too_large' });
});

test('a reader that gives up leaves the fetch to the others; the fetch ends when all have given up', async () => {
  const git = openSource();
  const [first, second, third] = [new AbortController(), new AbortController(), new AbortController()];
  let hangs = Promise.withResolvers<ServerResponse>();
  server.requests.length = 0;
  server.answerWith((_, response) => hangs.resolve(response));
  const read = (reader: AbortController) =>
    git.read(
      locationOf(),
      { name: '', address: 'hr/leave.md', validators: { etag: null, lastModified: null } },
      reader.signal,
    );
  const abandoned = [read(first), read(second)].map((reading) => reading.catch((error: Error) => error.message));
  const response = await hangs.promise;
  first.abort(new Error('first'));
  expect(await abandoned[0]).toBe('first');
  expect(response.destroyed).toBe(false);
  second.abort(new Error('second'));
  expect(await abandoned[1]).toBe('second');
  await until('the connection is closed', () => response.destroyed);

  // The next reader begins a fetch of its own, which goes on without the one that started it.
  hangs = Promise.withResolvers<ServerResponse>();
  const [starter, patient] = [new AbortController(), read(third)];
  const left = read(starter).catch((error: Error) => error.message);
  (await hangs.promise).destroy();
  starter.abort(new Error('starter'));
  expect(await left).toBe('starter');
  await expect(patient).rejects.toMatchObject({ code: 'source_unreachable' });
  server.answerWith(undefined);
  expect(await read(third)).toMatchObject({ state: 'read' });
});

test('each fault of a repository has its error code', async () => {
  const list = (options: Parameters<typeof openSource>[0] = {}, address = server.url) =>
    openSource(options).list(locationOf({}, address), signal);
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

test('branches whose names lead out of the folder are refused before anything is written', async () => {
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
  await expect(openSource().list(locationOf(), signal)).rejects.toMatchObject({ code: 'source_unreadable' });
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
  /** The size in its header is always 1, which is wrong. */
  const blob = (bytes: number) => Buffer.concat([Buffer.of(0x31), deflateSync(Buffer.alloc(bytes))]);
  const delta = (...varints: number[]) =>
    Buffer.concat([Buffer.of(0x75), Buffer.alloc(20), deflateSync(Buffer.of(...varints))]);

  test('within the limits passes', async () => {
    await checkPack(pack(blob(9_000), blob(9_000), delta(1, 0xff, 0x0f)), limits);
  });

  test.each([
    ['one object unpacks to too much', pack(blob(10), blob(20_000_000))],
    ['all objects together unpack to too much', pack(blob(9_000), blob(9_000), blob(9_000))],
    ['a delta makes too much', pack(blob(10), delta(1, 0xff, 0xff, 0xff, 0xff, 0x7f))],
  ])('in which %s is refused', async (_, bytes) => {
    await expect(checkPack(bytes, limits)).rejects.toMatchObject({ code: 'file_too_large' });
  });

  test.each([[Buffer.from('nothing')], [pack(Buffer.of(0x31, 1, 2, 3))], [Buffer.alloc(0)]])(
    'that is not a pack is refused',
    async (bytes) => {
      await expect(checkPack(bytes, limits)).rejects.toMatchObject({ code: 'source_unreadable' });
    },
  );
});

test('a sync reads a folder once, and then only the files that a new commit has changed', async () => {
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
});
