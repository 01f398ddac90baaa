import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createControl } from '../../adapters/temporal/control.ts';
import { AlfredError } from '../../contract/errors.ts';
import { documentsQueue, sourceScheduleId, sourceWorkflowId } from '../../contract/ids.ts';
import { SourceRequest } from '../../contract/sources.ts';
import { startWorkers, type RunningWorkers } from '../../workers/compose.ts';
import { createWebSite, type WebSite } from '../support/fakes/web-site.ts';
import { createApiHarness, identifyBySubject, startApi, type ApiHarness } from './api-harness.ts';
import type { AnyJson } from './checked-client.ts';
import { until } from '../support/until.ts';

let api: ApiHarness;
let workers: RunningWorkers;
let site: WebSite;
beforeAll(async () => {
  api = await createApiHarness({ ALFRED_OUTBOUND_ALLOW: '127.0.0.1/32' }, { identify: identifyBySubject });
  workers = await startWorkers(api, api, [documentsQueue]);
  site = await createWebSite();
  for (const words of ['leave', 'travel']) site.page(`/${words}`, words);
  site.sitemap('/sitemap.xml', ['/leave', '/travel', '/missing']);
});
afterAll(async () => {
  await workers?.stop();
  await site?.close();
  await api?.close();
});

const create = (path: string, more: object = {}) => api.http.post('/v1/sources', { address: site.url + path, ...more });
const remove = (id: string, query = '') => api.http.request(`/v1/sources/${id}${query}`, { method: 'DELETE' });
const ended = (id: string) =>
  until('the end of a sync', async () => (await api.http.get(`/v1/sources/${id}`)).body, {
    accept: ({ sync }) => !['queued', 'running'].includes(sync.state),
  });
const names = async () =>
  (await api.http.get('/v1/documents')).body.documents.map(({ name }: AnyJson) => name.replace(site.host, ''));

test('a source is created, synced, listed, synced again and deleted with its documents', async () => {
  const { status, headers, body } = await create('/sitemap.xml', { collection: 'site' });
  expect([status, headers.get('location')]).toEqual([201, `/v1/sources/${body.id}`]);
  expect(body).toMatchObject({ kind: 'web', everyS: null, readers: null, sync: { state: 'queued' }, failures: [] });
  expect(await ended(body.id)).toMatchObject({ sync: { state: 'completed', counts: { added: 2, removed: 1 } } });
  expect((await names()).sort()).toEqual(['/leave', '/travel']);
  expect((await api.http.get('/v1/sources')).body.sources).toMatchObject([{ id: body.id }]);

  site.page('/leave', 'holidays');
  const again = await api.http.request(`/v1/sources/${body.id}/sync`, { method: 'POST' });
  expect([again.status, ['queued', 'running', 'completed'].includes(again.body.sync.state)]).toEqual([202, true]);
  expect(await ended(body.id)).toMatchObject({ sync: { counts: { replaced: 1, unchanged: 1 } } });

  expect((await create('/sitemap.xml', { collection: 'site' })).body.code).toBe('source_exists');
  expect((await remove(body.id)).status).toBe(204);
  expect((await api.http.get(`/v1/sources/${body.id}`)).status).toBe(404);
  await until('the removal of the documents', names, { accept: (all) => all.length === 0 });
  await api.client.workflow.getHandle(sourceWorkflowId(body.id)).result();
  expect((await remove(body.id)).status).toBe(404);
});

test('a source with an interval has a schedule in Temporal, which requests syncs and is deleted with it', async () => {
  const { body } = await create('/travel', { everyS: 3_600 });
  await ended(body.id);
  const schedule = api.client.schedule.getHandle(sourceScheduleId(body.id));
  expect((await schedule.describe()).spec.intervals).toMatchObject([{ every: 3_600_000 }]);
  const before = (await api.http.get(`/v1/sources/${body.id}`)).body.sync.requestedAt;
  await schedule.trigger();
  await until('the sync of the schedule', async () => (await api.http.get(`/v1/sources/${body.id}`)).body.sync, {
    accept: ({ requestedAt, state }) => requestedAt !== before && state === 'completed',
  });
  expect((await remove(body.id, '?documents=keep')).status).toBe(204);
  await expect(schedule.describe()).rejects.toMatchObject({ name: 'ScheduleNotFoundError' });
  expect(await names()).toEqual(['/travel']);
});

describe('an Idempotency-Key', () => {
  const keyed = (key: string, path: string, more: object = {}) =>
    api.http.post('/v1/sources', { address: site.url + path, ...more }, { 'idempotency-key': key });

  test('creates one source for repeated requests, and is refused with another request', async () => {
    const answers = await Promise.all(Array.from({ length: 6 }, () => keyed('k1', '/travel', { collection: 'keyed' })));
    expect(new Set(answers.map(({ status, body }) => `${status} ${body.id}`)).size).toBe(1);
    const { body } = answers[0] ?? { body: {} };
    await ended(body.id);
    expect((await keyed('k1', '/travel', { collection: 'keyed' })).body).toMatchObject({
      id: body.id,
      sync: { state: 'completed' },
    });
    const other = await keyed('k1', '/leave', { collection: 'keyed' });
    expect([other.status, other.body.code]).toEqual([422, 'idempotency_key_reused']);
    expect((await keyed('k2', '/travel', { collection: 'keyed' })).body.code).toBe('source_exists');
    const ofKim = await api.http.post(
      '/v1/sources',
      { address: `${site.url}/travel`, collection: 'kim' },
      { 'idempotency-key': 'k1', 'x-subject': 'kim' },
    );
    expect([ofKim.status, ofKim.body.id === body.id]).toEqual([201, false]);
    expect((await keyed('', '/leave')).status).toBe(422);
    await remove(body.id);
  });

  test('lets a repeat continue what a failed request began, once', async () => {
    let isAway = true;
    const broken = await startApi(api, {
      control: createControl({
        ...api,
        workflows: {
          ...api.workflows,
          syncSource: (source) =>
            isAway ? Promise.reject(new AlfredError('temporal_unavailable')) : api.workflows.syncSource(source),
        },
      }),
    });
    try {
      const ask = (headers: Record<string, string>) =>
        broken.http.post('/v1/sources', { address: `${site.url}/leave`, collection: 'left', everyS: 3_600 }, headers);
      expect((await ask({})).status).toBe(503);
      expect((await ask({ 'idempotency-key': 'left' })).status).toBe(503);
      isAway = false;
      const { status, body } = await ask({ 'idempotency-key': 'left' });
      expect(status).toBe(201);
      expect(await ended(body.id)).toMatchObject({ sync: { state: 'completed', counts: { added: 1 } } });
      const all = (await api.http.get('/v1/sources')).body.sources;
      expect(all.filter(({ collection }: AnyJson) => collection === 'left')).toHaveLength(1);
      await remove(body.id);
    } finally {
      await broken.app.close();
    }
  });
});

describe('PATCH /v1/sources/{id}', () => {
  const change = (id: string, body: object, headers = {}) => api.http.json('PATCH', `/v1/sources/${id}`, body, headers);
  const interval = async (id: string) =>
    (await api.client.schedule.getHandle(sourceScheduleId(id)).describe()).spec.intervals?.[0]?.every;

  test('changes the interval: longer, none, and one again', async () => {
    const { body } = await create('/leave', { collection: 'patched', everyS: 3_600 });
    await ended(body.id);
    expect((await change(body.id, { everyS: 7_200 })).body).toMatchObject({ everyS: 7_200, collection: 'patched' });
    expect(await interval(body.id)).toBe(7_200_000);
    expect((await change(body.id, { everyS: null })).body.everyS).toBeNull();
    await expect(interval(body.id)).rejects.toMatchObject({ name: 'ScheduleNotFoundError' });
    expect((await change(body.id, { everyS: null })).status).toBe(200);
    expect((await change(body.id, { everyS: 60 })).body.everyS).toBe(60);
    expect(await interval(body.id)).toBe(60_000);
    await remove(body.id);
  });

  test('removes a reader from existing documents before it answers', async () => {
    const { body } = await create('/leave', { collection: 'readers', readers: ['subject:eve'] });
    await ended(body.id);
    const seen = async () =>
      (await api.http.get('/v1/documents?collection=readers', { 'x-subject': 'eve' })).body.documents.length;
    expect(await seen()).toBe(1);
    const { status, body: changed } = await change(body.id, { readers: [], collection: 'readers', tags: ['x'] });
    expect([status, changed.readers, changed.tags, await seen()]).toEqual([200, [], ['x'], 0]);
    expect((await change(body.id, { readers: [] }, { 'x-subject': 'eve' })).status).toBe(404);
    await remove(body.id);
  });

  test.each([{}, { everyS: 59 }, { readers: ['everybody'] }, { tags: ['a,b'] }, { address: 'https://example.com' }])(
    'refuses %j',
    async (body) => {
      expect((await change('01a2016f-73a4-7695-9a05-0f2fb996e093', body)).status).toBe(422);
    },
  );
});

test('a sync whose workflow was terminated is shown as failed, and can be requested again', async () => {
  await workers.stop();
  const { body } = await create('/leave');
  await api.client.workflow.getHandle(sourceWorkflowId(body.id)).terminate();
  await api.postgres.db
    .updateTable('sources')
    .set({ sync_requested_at: new Date(Date.now() - 120_000) })
    .where('id', '=', body.id)
    .execute();
  expect((await api.http.get(`/v1/sources/${body.id}`)).body.sync).toMatchObject({
    state: 'failed',
    error: { code: 'terminated' },
  });
  workers = await startWorkers(api, api, [documentsQueue]);
  expect((await api.http.request(`/v1/sources/${body.id}/sync`, { method: 'POST' })).status).toBe(202);
  expect(await ended(body.id)).toMatchObject({ sync: { state: 'completed' } });
});

test('a sync requested while the previous one is reconciled is not ended with it', async () => {
  const owner = { tenant: 'local', subject: 'local' };
  const { id } = await api.sources.create(
    owner,
    SourceRequest.parse({ address: `${site.url}/leave`, collection: 'next' }),
  );
  const source = { ...owner, sourceId: id };
  await api.postgres.db
    .updateTable('sources')
    .set({ sync_requested_at: new Date(Date.now() - 120_000) })
    .where('id', '=', id)
    .execute();
  const slow = await startApi(api, {
    control: createControl({
      ...api,
      workflows: {
        ...api.workflows,
        describe: async () => {
          await api.sources.endSync(source, { status: 'completed' });
          await api.sources.requestSync(source);
          return { runId: 'before', status: 'completed' };
        },
      },
    }),
  });
  try {
    expect((await slow.http.get(`/v1/sources/${id}`)).body.sync.state).toBe('queued');
  } finally {
    await slow.app.close();
  }
  await remove(id);
});

test('another user’s source is 404', async () => {
  const { body } = await create('/leave', { collection: 'other' });
  const headers = { 'x-subject': 'eve' };
  for (const [method, path] of [
    ['GET', ''],
    ['DELETE', ''],
    ['POST', '/sync'],
  ] as const)
    expect((await api.http.request(`/v1/sources/${body.id}${path}`, { method, headers })).body.code).toBe('not_found');
  expect((await api.http.get('/v1/sources', headers)).body.sources).toEqual([]);
});

test.each([
  {},
  { address: '' },
  { address: 'ftp://example.com' },
  { address: 'example.com' },
  { address: 'https://example.com', kind: 'ftp' },
  { address: 'https://example.com', everyS: 59 },
  { address: 'https://example.com', options: { depth: 3 } },
  { address: 'https://example.com', readers: ['everybody'] },
  { address: 'https://user:secret@example.com' },
  { address: 'https://example.com', kind: 's3' },
  { address: 'https://example.com', options: { branch: 'main' } },
  { address: 'https://example.com/a.git', kind: 'git', options: { branch: 'a b' } },
  { address: 'git@example.com:a.git', kind: 'git' },
  { address: 's3://company-files', kind: 's3', options: { sitemap: true } },
])('the source %j is refused', async (body) => {
  expect((await api.http.post('/v1/sources', body)).status).toBe(422);
});

test('a page is parsed by its content type, and by its name when that is text/plain', async () => {
  site.set('/page.md', { body: '<main><h1>Rules</h1><p>In *HTML*.</p></main>', type: 'text/html' });
  site.set('/text.md', { body: '# Rules\n\nIn *Markdown*.', type: 'text/plain; charset=utf-8' });
  site.set('/page.php', { body: '<p>In HTML, too.</p>', type: 'text/html' });
  site.sitemap('/kinds.xml', ['/page.md', '/text.md', '/page.php']);
  const { body } = await create('/kinds.xml', { collection: 'kinds' });
  expect(await ended(body.id)).toMatchObject({ sync: { counts: { added: 3, failed: 0 } } });
  const { passages } = (await api.http.post('/v1/search', { query: 'rules html markdown', collections: ['kinds'] }))
    .body;
  const found = passages.map(({ document, headingPath, text }: AnyJson) => [
    document.replace(site.host, ''),
    headingPath[0],
    text.replace(/[*\\]/g, ''),
  ]);
  expect(found).toEqual(
    expect.arrayContaining([
      ['/page.md', 'Rules', 'In HTML.'],
      ['/text.md', 'Rules', 'In Markdown.'],
      ['/page.php', undefined, 'In HTML, too.'],
    ]),
  );
});

test('a bucket that is not configured is refused', async () => {
  const { status, body } = await api.http.post('/v1/sources', { kind: 's3', address: 's3://company-files' });
  expect([status, body.code]).toEqual([422, 'source_unconfigured']);
  expect(body.detail).toContain('ALFRED_S3_PREFIXES');
});

test.each(['/v1/sources/nope', '/v1/sources/01a2016f-73a4-7695-9a05-0f2fb996e093'])('%s is 404', async (path) => {
  expect((await api.http.get(path)).body.code).toBe('not_found');
});
