import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createAdapters, type Adapters } from '../../wiring/adapters.ts';
import type { DocumentParser, SourceRow } from '../../contract/ports/index.ts';
import { SourceRequest } from '../../contract/sources.ts';
import { documentsQueue, sourceWorkflowId } from '../../contract/ids.ts';
import { createMetrics } from '../../runtime/metrics.ts';
import { startWorkers, type RunningWorkers } from '../../workers/compose.ts';
import { createTestEnvironment, type TestEnvironment } from '../support/environment/environment.ts';
import { startRole } from '../support/processes/role-process.ts';
import { createWebSite, sitemapOf, type WebSite } from '../support/fakes/web-site.ts';
import { until } from '../support/until.ts';

const scope = { tenant: 'local', subject: 'local' };
const metrics = createMetrics();
let env: TestEnvironment;
let adapters: Adapters;
let workers: RunningWorkers | undefined;
let site: WebSite;

beforeAll(async () => {
  env = await createTestEnvironment({ ALFRED_SHUTDOWN_GRACE_S: '0', ALFRED_OUTBOUND_ALLOW: '127.0.0.1/32' });
  adapters = createAdapters(env);
});
afterAll(async () => {
  await adapters?.close();
  await env?.close();
});
beforeEach(async () => void (site = await createWebSite()));
afterEach(async () => {
  await stop();
  await site.close();
});

async function work(parser: DocumentParser = adapters.parser) {
  workers = await startWorkers(
    { ...env, metrics },
    { ...adapters, parser: { ...parser, close: () => adapters.parser.close() } },
    [documentsQueue],
  );
}
async function stop() {
  await workers?.stop();
  workers = undefined;
}

async function add(path: string, more: object = {}) {
  const { id } = await adapters.sources.create(scope, SourceRequest.parse({ address: site.url + path, ...more }));
  return { ...scope, sourceId: id };
}
type Ref = Awaited<ReturnType<typeof add>>;
const handleOf = ({ sourceId }: Ref) => env.client.workflow.getHandle(sourceWorkflowId(sourceId));
async function row(source: Ref): Promise<SourceRow> {
  const found = await adapters.sources.get(scope, source.sourceId);
  if (!found) throw new Error('no such source');
  return found;
}
/** Asks for a sync and waits for its end. */
async function sync(source: Ref): Promise<SourceRow> {
  await adapters.sources.requestSync(source);
  await adapters.workflows.syncSource(source);
  await handleOf(source)
    .result()
    .catch(() => undefined);
  return row(source);
}
const textOf = async (path: string) => {
  const { documents } = await adapters.documents.list(scope, { limit: 500 });
  const document = documents.find(({ name }) => name === site.host + path);
  return document && (await adapters.documents.read(scope, document.id))?.text;
};
const counted = (counts: object) => ({
  state: 'completed',
  error: null,
  counts: { pending: 0, added: 0, replaced: 0, unchanged: 0, failed: 0, gone: 0, removed: 0, ...counts },
});

describe('a sitemap', () => {
  test('is read once; then only what has changed is read, what is gone is removed, and the rest costs nothing', async () => {
    await work();
    for (const words of ['leave', 'travel', 'pets']) site.page(`/${words}`, words);
    site.sitemap('/sitemap.xml', ['/leave', '/travel', '/pets', '/leave']);
    const source = await add('/sitemap.xml', { collection: 'site', tags: ['web'], readers: ['group:staff'] });
    expect((await sync(source)).sync).toMatchObject(counted({ added: 3 }));
    expect(await textOf('/leave')).toContain('All about leave.');
    const { documents } = await adapters.documents.list(scope, { limit: 10, collection: 'site' });
    expect(documents[0]).toMatchObject({ tags: ['web'], readers: ['group:staff'], title: 'leave' });
    expect(new Set(site.requests.map(({ agent }) => agent.split('/')[0]))).toEqual(new Set(['Alfred']));
    expect(site.maxConcurrent()).toBeLessThanOrEqual(2);
    site.takePaths();

    expect((await sync(source)).sync).toMatchObject(counted({ unchanged: 3 }));
    expect(site.requests.filter(({ path }) => !/xml|txt/.test(path)).map(({ status }) => status)).toEqual([
      304, 304, 304,
    ]);

    site.page('/travel', 'trains');
    site.remove('/pets');
    site.page('/new', 'parking');
    site.sitemap('/sitemap.xml', ['/travel', '/pets', '/new']);
    expect((await sync(source)).sync).toMatchObject(counted({ added: 1, replaced: 1, removed: 2 }));
    expect([await textOf('/leave'), await textOf('/pets')]).toEqual([undefined, undefined]);
    expect(await textOf('/travel')).toContain('All about trains.');
  });

  test('one bad item stops no other, is listed with its reason, keeps what was read before, and is tried again', async () => {
    await work();
    site.page('/good', 'good');
    site.page('/shaky', 'shaky');
    site.set('/robots.txt', { body: 'User-agent: Alfred\nDisallow: /secret', type: 'text/plain' });
    site.page('/secret', 'secret');
    site.set('/login', { status: 403 });
    site.set('/picture', { body: Uint8Array.of(137, 80, 78, 71, 0, 1), type: 'image/png' });
    site.set('/elsewhere', { status: 302, headers: { location: 'http://example.com/' } });
    const paths = ['/good', '/shaky', '/secret', '/login', '/picture', '/elsewhere'];
    site.set('/sitemap.xml', {
      body: sitemapOf([...paths.map((path) => site.url + path), 'http://other.example/page', 'mailto:nobody']),
    });
    const source = await add('/sitemap.xml');
    const first = await sync(source);
    expect(first.sync).toMatchObject(counted({ added: 2, failed: 6 }));
    expect(
      Object.fromEntries(first.failures.map(({ name, error }) => [name.replace(site.host, ''), error.code])),
    ).toEqual({
      '/secret': 'source_refused',
      '/login': 'source_refused',
      '/picture': 'file_type_unsupported',
      '/elsewhere': 'source_refused',
      'other.example/page': 'source_refused',
      'mailto:nobody': 'source_unreadable',
    });
    expect(site.takePaths()).not.toContain('/secret');

    site.set('/shaky', { status: 500 });
    site.page('/login', 'open');
    expect((await sync(source)).sync).toMatchObject(counted({ added: 1, unchanged: 1, failed: 6 }));
    expect(await textOf('/shaky')).toContain('All about shaky.');
    site.page('/shaky', 'shaky');
    expect((await sync(source)).sync).toMatchObject(counted({ unchanged: 3, failed: 5 }));
  });

  test('a part of an index that cannot be read is told, and nothing is taken for gone', async () => {
    await work();
    for (const words of ['one', 'two']) {
      site.page(`/${words}`, words);
      site.sitemap(`/map-${words}.xml`, [`/${words}`]);
    }
    site.set('/index.xml', { body: sitemapOf([`${site.url}/map-one.xml`, `${site.url}/map-two.xml`], 'sitemapindex') });
    const source = await add('/index.xml');
    expect((await sync(source)).sync).toMatchObject(counted({ added: 2 }));
    site.set('/map-two.xml', { status: 500 });
    const broken = await sync(source);
    expect(broken.failures).toMatchObject([
      { name: `${site.host}/map-two.xml`, error: { code: 'source_unreachable' } },
    ]);
    expect(await textOf('/two')).toBeDefined();
    site.sitemap('/map-two.xml', []);
    expect((await sync(source)).sync).toMatchObject(counted({ unchanged: 1, removed: 1 + 1 }));
    expect(await textOf('/two')).toBeUndefined();
  });

  test('that cannot be read fails the sync with the reason, and nothing is removed', async () => {
    await work();
    site.page('/kept', 'kept');
    site.sitemap('/sitemap.xml', ['/kept']);
    const source = await add('/sitemap.xml');
    await sync(source);
    site.set('/sitemap.xml', { body: '<!doctype html><title>Log in</title>', type: 'text/html' });
    expect((await sync(source)).sync).toMatchObject({ state: 'failed', error: { code: 'source_unreadable' } });
    await expect(handleOf(source).result()).rejects.toMatchObject({ cause: { type: 'source_unreadable' } });
    expect(await textOf('/kept')).toBeDefined();
  });
});

describe('a page', () => {
  test('is one document, by its Last-Modified where it has no ETag, and gone when it is 410', async () => {
    await work();
    site.set('/page', { body: '<p>Hello there.</p>', type: 'text/html', validators: 'date' });
    const source = await add('/page');
    expect((await sync(source)).sync).toMatchObject(counted({ added: 1 }));
    expect((await sync(source)).sync).toMatchObject(counted({ unchanged: 1 }));
    expect(site.requests.at(-1)).toMatchObject({ path: '/page', isConditional: true, status: 304 });
    site.set('/page', { status: 410 });
    expect((await sync(source)).sync).toMatchObject(counted({ removed: 1 }));
    expect(await textOf('/page')).toBeUndefined();
  });

  test('whose document somebody removed is read anew, and one that an upload has replaced is not removed', async () => {
    await work();
    site.page('/page', 'ours');
    const source = await add('/page');
    await sync(source);
    const [before] = (await adapters.documents.list(scope, { limit: 500 })).documents.filter(({ name }) =>
      name.startsWith(site.host),
    );
    await adapters.documents.delete(scope, before?.id ?? '');
    expect((await sync(source)).sync).toMatchObject(counted({ added: 1 }));
    await adapters.documents.put(scope, {
      file: { name: `${site.host}/page`, mediaType: 'text/plain', contentHash: 'another', sizeBytes: 3 },
      parse: async () => ({ title: 'Mine', text: 'My own.', language: null, chunks: [] }),
      placement: { collection: 'default' },
    });
    site.remove('/page');
    await sync(source);
    expect(await textOf('/page')).toBe('My own.');
  });

  test('at an address that is not public is refused', async () => {
    await work();
    const source = await add('', { address: 'http://10.0.0.1/page' });
    expect((await sync(source)).failures).toMatchObject([{ error: { code: 'destination_forbidden' } }]);
  });
});

test('a second start while a sync runs changes nothing, and one that is asked for at its end is done after it', async () => {
  await work();
  const held = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  site.set('/page', (_, response) => {
    asked.resolve();
    void held.promise.then(() => response.writeHead(200, { 'content-type': 'text/plain' }).end('Slow page.'));
  });
  const source = await add('/page');
  await adapters.workflows.syncSource(source);
  await asked.promise;
  await adapters.sources.requestSync(source);
  await adapters.workflows.syncSource(source);
  await env.client.workflow.start('sourceDueWorkflow', {
    workflowId: 'due',
    taskQueue: documentsQueue,
    args: [source],
  });
  await env.client.workflow.getHandle('due').result();
  held.resolve();
  await handleOf(source).result();
  expect(site.takePaths().filter((path) => path === '/page')).toHaveLength(1);
  const { sync: number } = await env.postgres.db
    .selectFrom('sources')
    .select('sync')
    .where('id', '=', source.sourceId)
    .executeTakeFirstOrThrow();
  expect(number).toBe(1);
});

test('an end that is written twice does not end the sync that was asked for in between', async () => {
  const source = await add('/twice');
  await adapters.sources.beginSync(source, 'run-1');
  await adapters.sources.endSync(source, { status: 'completed' }, 'run-1');
  await adapters.sources.requestSync(source);
  await adapters.sources.endSync(source, { status: 'completed' }, 'run-1');
  expect((await row(source)).sync.state).toBe('queued');
  expect(await adapters.sources.beginSync(source, 'run-1')).toEqual({ isListed: false });
  await adapters.sources.endSync(source, { status: 'completed' }, 'run-0');
  expect((await row(source)).sync.state).toBe('running');
});

test('cancelling stops it, the rows say so, and the next sync goes on', async () => {
  await work();
  const asked = Promise.withResolvers<void>();
  site.set('/page', () => asked.resolve());
  const source = await add('/page');
  await adapters.workflows.syncSource(source);
  await asked.promise;
  await handleOf(source).cancel();
  await expect(handleOf(source).result()).rejects.toMatchObject({ cause: { name: 'CancelledFailure' } });
  expect((await row(source)).sync).toMatchObject({ state: 'cancelled', counts: { pending: 1 } });
  site.page('/page', 'again');
  expect((await sync(source)).sync).toMatchObject(counted({ added: 1 }));
});

test('a removed source takes its documents with it, but not those that another source brings too', async () => {
  await work();
  for (const words of ['a', 'b']) site.page(`/${words}`, words);
  site.sitemap('/sitemap.xml', ['/a', '/b']);
  const all = await add('/sitemap.xml');
  const one = await add('/a');
  await sync(all);
  await sync(one);
  expect(await adapters.sources.delete(scope, all.sourceId, 'remove')).toBe(true);
  expect(await adapters.sources.get(scope, all.sourceId)).toBeUndefined();
  await adapters.workflows.syncSource(all);
  await handleOf(all).result();
  expect([await textOf('/a'), await textOf('/b')]).toEqual([expect.any(String), undefined]);
  expect(await adapters.sources.delete(scope, all.sourceId, 'remove')).toBe(false);
  expect(await adapters.sources.delete(scope, one.sourceId, 'keep')).toBe(true);
  expect(await textOf('/a')).toBeDefined();
});

test('one that is removed while a sync runs leaves nothing behind, also of what came just then', async () => {
  await work();
  const held = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  site.set('/slow', (_, response) => {
    asked.resolve();
    void held.promise.then(() => response.writeHead(200, { 'content-type': 'text/plain' }).end('Slow page.'));
  });
  const source = await add('/slow');
  await adapters.workflows.syncSource(source);
  await asked.promise;
  await adapters.sources.delete(scope, source.sourceId, 'remove');
  await adapters.workflows.syncSource(source);
  held.resolve();
  await handleOf(source).result();
  expect(await textOf('/slow')).toBeUndefined();
  const rows = await env.postgres.db.selectFrom('sources').select('id').where('id', '=', source.sourceId).execute();
  expect(rows).toEqual([]);
});

test('two hundred pages survive a killed worker: each is a document once, and history holds no address', async () => {
  const paths = Array.from({ length: 200 }, (_, i) => `/private-page-${i}`);
  for (const path of paths) site.page(path, path.slice(1));
  site.sitemap('/sitemap.xml', paths);
  const source = await add('/sitemap.xml');
  await adapters.workflows.syncSource(source);
  const killed = startRole('workers/main.ts', ['--queue', documentsQueue], env.config);
  await until('30 documents are added', async () => (await row(source)).sync.counts.added >= 30, {
    withinMs: 60_000,
    everyMs: 10,
  });
  await killed.end('SIGKILL');
  expect((await row(source)).sync.counts.pending).toBeGreaterThan(0);
  await work();
  await handleOf(source).result();
  const ended = (await row(source)).sync;
  expect(ended).toMatchObject({ state: 'completed', counts: { pending: 0, failed: 0 } });
  expect(ended.counts.added + ended.counts.unchanged).toBe(200);
  const { documents } = await adapters.documents.list(scope, { limit: 500 });
  expect(documents.filter(({ name }) => name.startsWith(site.host))).toHaveLength(200);
  const history = JSON.stringify(await handleOf(source).fetchHistory(), (_, value: unknown) =>
    value instanceof Uint8Array ? Buffer.from(value).toString() : value,
  );
  expect(history).not.toMatch(/private-page|127\.0\.0\.1/);
}, 60_000);
