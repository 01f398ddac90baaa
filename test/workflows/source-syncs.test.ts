import { expect, test } from '@jest/globals';
import { documentsQueue } from '../../contract/ids.ts';
import { SourceRequest } from '../../contract/sources.ts';
import { startRole } from '../support/processes/role-process.ts';
import { until } from '../support/until.ts';
import { completedWith, scope, useSources } from './use-sources.ts';

const sources = useSources();

test('a second request while a sync runs changes nothing', async () => {
  await sources.work();
  const release = Promise.withResolvers<void>();
  const requested = Promise.withResolvers<void>();
  sources.site.set('/page', (_, response) => {
    requested.resolve();
    void release.promise.then(() => response.writeHead(200, { 'content-type': 'text/plain' }).end('Slow page.'));
  });
  const source = await sources.add('/page');
  await sources.adapters.workflows.syncSource(source);
  await requested.promise;
  await sources.adapters.sources.requestSync(source);
  await sources.adapters.workflows.syncSource(source);
  await sources.env.client.workflow.start('sourceDueWorkflow', {
    workflowId: 'due',
    taskQueue: documentsQueue,
    args: [source],
  });
  await sources.env.client.workflow.getHandle('due').result();
  release.resolve();
  await sources.handleOf(source).result();
  expect(sources.site.takePaths().filter((path) => path === '/page')).toHaveLength(1);
  const { sync: number } = await sources.env.postgres.db
    .selectFrom('sources')
    .select('sync')
    .where('id', '=', source.sourceId)
    .executeTakeFirstOrThrow();
  expect(number).toBe(1);
});

test('a sync ends when its tenant is full', async () => {
  await sources.work();
  await sources.env.postgres.db
    .insertInto('tenants')
    .values({ name: 'full', limits: { documents: 10 } })
    .execute();
  const pages = Array.from({ length: 25 }, (_, n) => `/page-${n}`);
  for (const page of pages) sources.site.page(page, page);
  sources.site.sitemap('/sitemap.xml', pages);
  const full = { tenant: 'full', subject: 'local' };
  const request = SourceRequest.parse({ address: `${sources.site.url}/sitemap.xml` });
  const { id: sourceId } = await sources.adapters.sources.create(full, request);
  await sources.adapters.workflows.syncSource({ ...full, sourceId });
  const end = sources.handleOf({ ...full, sourceId }).result();
  await expect(end).rejects.toMatchObject({ cause: { type: 'tenant_full' } });
  // The first batch of twenty is taken whole.
  const found = await sources.adapters.sources.get(full, sourceId);
  expect(found?.sync).toMatchObject({
    state: 'failed',
    error: { code: 'tenant_full' },
    counts: { added: 20, pending: 5 },
  });
});

test('an end that is written twice does not end the sync that was requested in between', async () => {
  const source = await sources.add('/twice');
  await sources.adapters.sources.beginSync(source, 'run-1');
  await sources.adapters.sources.endSync(source, { status: 'completed' }, 'run-1');
  await sources.adapters.sources.requestSync(source);
  await sources.adapters.sources.endSync(source, { status: 'completed' }, 'run-1');
  expect((await sources.row(source)).sync.state).toBe('queued');
  expect(await sources.adapters.sources.beginSync(source, 'run-1')).toEqual({ isListed: false });
  await sources.adapters.sources.endSync(source, { status: 'completed' }, 'run-0');
  expect((await sources.row(source)).sync.state).toBe('running');
});

test('cancelling stops a sync, is recorded, and the next sync continues', async () => {
  await sources.work();
  const requested = Promise.withResolvers<void>();
  sources.site.set('/page', () => requested.resolve());
  const source = await sources.add('/page');
  await sources.adapters.workflows.syncSource(source);
  await requested.promise;
  await sources.handleOf(source).cancel();
  await expect(sources.handleOf(source).result()).rejects.toMatchObject({ cause: { name: 'CancelledFailure' } });
  expect((await sources.row(source)).sync).toMatchObject({ state: 'cancelled', counts: { pending: 1 } });
  sources.site.page('/page', 'again');
  expect((await sources.sync(source)).sync).toMatchObject(completedWith({ added: 1 }));
});

test('a removed source takes its documents with it, except those that another source also has', async () => {
  await sources.work();
  for (const words of ['a', 'b']) sources.site.page(`/${words}`, words);
  sources.site.sitemap('/sitemap.xml', ['/a', '/b']);
  const all = await sources.add('/sitemap.xml');
  const pageA = await sources.add('/a');
  await sources.sync(all);
  await sources.sync(pageA);
  expect(await sources.adapters.sources.delete(scope, all.sourceId, 'remove')).toBe(true);
  expect(await sources.adapters.sources.get(scope, all.sourceId)).toBeUndefined();
  await sources.adapters.workflows.syncSource(all);
  await sources.handleOf(all).result();
  expect([await sources.textOf('/a'), await sources.textOf('/b')]).toEqual([expect.any(String), undefined]);
  expect(await sources.adapters.sources.delete(scope, all.sourceId, 'remove')).toBe(false);
  expect(await sources.adapters.sources.delete(scope, pageA.sourceId, 'keep')).toBe(true);
  expect(await sources.textOf('/a')).toBeDefined();
});

test('a source that is removed during a sync leaves no document behind', async () => {
  await sources.work();
  const release = Promise.withResolvers<void>();
  const requested = Promise.withResolvers<void>();
  sources.site.set('/slow', (_, response) => {
    requested.resolve();
    void release.promise.then(() => response.writeHead(200, { 'content-type': 'text/plain' }).end('Slow page.'));
  });
  const source = await sources.add('/slow');
  await sources.adapters.workflows.syncSource(source);
  await requested.promise;
  await sources.adapters.sources.delete(scope, source.sourceId, 'remove');
  await sources.adapters.workflows.syncSource(source);
  release.resolve();
  await sources.handleOf(source).result();
  expect(await sources.textOf('/slow')).toBeUndefined();
  const rows = await sources.env.postgres.db
    .selectFrom('sources')
    .select('id')
    .where('id', '=', source.sourceId)
    .execute();
  expect(rows).toEqual([]);
});

test('two hundred pages survive a killed worker: each is a document once, and history holds no address', async () => {
  const paths = Array.from({ length: 200 }, (_, i) => `/private-page-${i}`);
  for (const path of paths) sources.site.page(path, path.slice(1));
  sources.site.sitemap('/sitemap.xml', paths);
  const source = await sources.add('/sitemap.xml');
  await sources.adapters.workflows.syncSource(source);
  const killed = startRole('workers/main.ts', ['--queue', documentsQueue], sources.env.config);
  await until('30 documents are added', async () => (await sources.row(source)).sync.counts.added >= 30, {
    withinMs: 60_000,
    everyMs: 10,
  });
  await killed.end('SIGKILL');
  expect((await sources.row(source)).sync.counts.pending).toBeGreaterThan(0);
  await sources.work();
  await sources.handleOf(source).result();
  const ended = (await sources.row(source)).sync;
  expect(ended).toMatchObject({ state: 'completed', counts: { pending: 0, failed: 0 } });
  expect(ended.counts.added + ended.counts.unchanged).toBe(200);
  const { documents } = await sources.adapters.documents.list(scope, { limit: 500 });
  expect(documents.filter(({ name }) => name.startsWith(sources.site.host))).toHaveLength(200);
  const history = JSON.stringify(await sources.handleOf(source).fetchHistory(), (_, value: unknown) =>
    value instanceof Uint8Array ? Buffer.from(value).toString() : value,
  );
  expect(history).not.toMatch(/private-page|127\.0\.0\.1/);
});
