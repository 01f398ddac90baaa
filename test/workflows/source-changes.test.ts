import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createSources } from '../../knowledge/store/sources.ts';
import { createAdapters, type Adapters } from '../../wiring/adapters.ts';
import type { DocumentParser, ListedItem, SourceRow } from '../../contract/ports/index.ts';
import { AlfredError } from '../../contract/errors.ts';
import { documentsQueue, sourceWorkflowId } from '../../contract/ids.ts';
import { SourceRequest, type SourceChange } from '../../contract/sources.ts';
import { createMetrics } from '../../runtime/metrics.ts';
import { startWorkers, type RunningWorkers } from '../../workers/compose.ts';
import { createTestEnvironment, type TestEnvironment } from '../support/environment/environment.ts';
import { plainParser } from '../support/documents/plain-parser.ts';
import { putDocument } from '../support/documents/put-document.ts';
import { createWebSite, type WebSite } from '../support/fakes/web-site.ts';

const scope = { tenant: 'local', subject: 'local' };
const eve = { tenant: 'local', subject: 'eve' };
let env: TestEnvironment;
let adapters: Adapters;
let workers: RunningWorkers | undefined;
let site: WebSite;
/** Called before the plain parser. */
let onParse: (name: string, text: string) => Promise<void> | void;

beforeAll(async () => {
  env = await createTestEnvironment({ ALFRED_SHUTDOWN_GRACE_S: '0', ALFRED_OUTBOUND_ALLOW: '127.0.0.1/32' });
  adapters = createAdapters(env);
  const parser: DocumentParser = {
    async parse(file, signal) {
      await onParse(file.name, Buffer.from(file.bytes).toString());
      return plainParser.parse(file, signal);
    },
  };
  workers = await startWorkers(
    { ...env, metrics: createMetrics() },
    { ...adapters, parser: { ...parser, close: () => adapters.parser.close() } },
    [documentsQueue],
  );
});
afterAll(async () => {
  await workers?.stop();
  await adapters?.close();
  await env?.close();
});
beforeEach(async () => {
  onParse = () => undefined;
  site = await createWebSite();
});
afterEach(() => site.close());

async function add(path: string, more: object = {}) {
  const { id } = await adapters.sources.create(scope, SourceRequest.parse({ address: site.url + path, ...more }));
  return { ...scope, sourceId: id };
}
type Ref = Awaited<ReturnType<typeof add>>;
async function row(source: Ref): Promise<SourceRow> {
  const sourceRow = await adapters.sources.get(scope, source.sourceId);
  if (!sourceRow) throw new Error('no such source');
  return sourceRow;
}
async function sync(source: Ref) {
  await adapters.sources.requestSync(source);
  await adapters.workflows.syncSource(source);
  await env.client.workflow.getHandle(sourceWorkflowId(source.sourceId)).result();
  return (await row(source)).sync;
}
const change = (source: Ref, what: SourceChange) => adapters.sources.change(scope, source.sourceId, what);
const namesFor = async (who: typeof scope, collection?: string) =>
  (await adapters.documents.list(who, { limit: 500, ...(collection && { collection }) })).documents
    .map(({ name }) => name.replace(site.host, ''))
    .filter((name) => name.startsWith('/'));
const find = async (who: typeof scope, query: string) =>
  (await adapters.index.search(who, { query, limit: 10 })).passages.map(({ document }) =>
    document.replace(site.host, ''),
  );
const idOf = async (path: string, collection: string) =>
  (await adapters.documents.list(scope, { limit: 500, collection })).documents.find(
    ({ name }) => name === site.host + path,
  )?.id;
const page = (path: string, body: string) => site.set(path, { body, type: 'text/plain' });

describe('an item that failed', () => {
  test('and has not changed is retried by the next sync, with or without an earlier document', async () => {
    page('/new', 'New page.');
    page('/old', 'Version one.');
    site.sitemap('/sitemap.xml', ['/new', '/old']);
    const source = await add('/sitemap.xml');
    onParse = (name) => {
      if (name.endsWith('/new')) throw new AlfredError('file_unreadable', 'no');
    };
    expect((await sync(source)).counts).toMatchObject({ added: 1, failed: 1 });
    page('/old', 'Version two.');
    onParse = () => {
      throw new AlfredError('file_unreadable', 'no');
    };
    expect((await sync(source)).counts).toMatchObject({ failed: 2 });
    expect((await sync(source)).counts).toMatchObject({ failed: 2 });
    onParse = () => undefined;
    expect((await sync(source)).counts).toMatchObject({ added: 1, replaced: 1, failed: 0 });
    site.takePaths();
    expect((await sync(source)).counts).toMatchObject({ unchanged: 2 });
  });

  test('is due until its document has the listed etag', async () => {
    const source = await add('/listed');
    const listing = (etag: string) => {
      const item: ListedItem = { name: 'listed.txt', address: 'a', etag };
      return { items: [item], failures: [], isWhole: true };
    };
    const put = async (text: string, etag: string) => {
      const { documentId } = await putDocument(env.postgres.db, 'listed.txt', text);
      const { documents } = await adapters.documents.list(scope, { limit: 500 });
      const contentHash = documents.find(({ id }) => id === documentId)?.contentHash ?? '';
      await adapters.sources.recordOutcome(source, 'listed.txt', {
        state: 'added',
        documentId,
        contentHash,
        etag,
        lastModified: null,
      });
    };
    const failed = { state: 'failed', code: 'file_unreadable', message: 'no' } as const;
    const due = async (etag: string) => {
      await adapters.sources.storeListing(source, listing(etag));
      return (await adapters.sources.listDue(source, 5)).map(({ name }) => name);
    };
    expect(await due('one')).toEqual(['listed.txt']);
    await adapters.sources.recordOutcome(source, 'listed.txt', failed);
    expect(await due('one')).toEqual(['listed.txt']);
    await put('One.', 'one');
    expect(await due('one')).toEqual([]);
    expect(await due('two')).toEqual(['listed.txt']);
    await adapters.sources.recordOutcome(source, 'listed.txt', failed);
    expect(await due('two')).toEqual(['listed.txt']);
    await put('Two.', 'two');
    expect(await due('two')).toEqual([]);
    // A scan that was read while text recognition was off is read again once it is on.
    await env.postgres.db
      .updateTable('documents')
      .set({ unread_pictures: true })
      .where('name', '=', 'listed.txt')
      .execute();
    expect(await due('two')).toEqual([]);
    const recognising = createSources(env.postgres.db, { recognises: true });
    await recognising.storeListing(source, listing('two'));
    expect(await recognising.listDue(source, 5)).toMatchObject([{ validators: { etag: null } }]);
  });
});

test('an unchanged page is cut into chunks again by the next sync only when its collection’s settings have changed', async () => {
  page('/page', 'First.\n\nSecond.');
  const source = await add('/page', { collection: 'cut' });
  await sync(source);
  await adapters.collections.set(scope, 'cut', { chunkTokens: 100, overlapTokens: 10 });
  const id = await idOf('/page', 'cut');
  expect((await sync(source)).counts).toMatchObject({ replaced: 1 });
  expect(await adapters.collections.get(scope, 'cut')).toMatchObject({ documents: 1, outdated: 0 });
  expect(await idOf('/page', 'cut')).toBe(id);
  site.requests.length = 0;
  expect((await sync(source)).counts).toMatchObject({ unchanged: 1 });
  expect(site.requests.filter(({ path }) => path === '/page').map(({ status }) => status)).toEqual([304]);
});

describe('a changed source', () => {
  test('restricts the readers of its documents at once, also in searches, and its next sync keeps that', async () => {
    page('/secret', 'The zanzibar plan.');
    page('/also', 'The zanzibar budget.');
    site.sitemap('/sitemap.xml', ['/secret', '/also']);
    const source = await add('/sitemap.xml', { readers: ['subject:eve'], collection: 'plans' });
    await sync(source);
    expect([(await namesFor(eve)).sort(), (await find(eve, 'zanzibar')).sort()]).toEqual([
      ['/also', '/secret'],
      ['/also', '/secret'],
    ]);
    expect(await change(source, { readers: [] })).toMatchObject({ readers: [] });
    expect([await namesFor(eve), await find(eve, 'zanzibar')]).toEqual([[], []]);
    expect((await find(scope, 'zanzibar')).sort()).toEqual(['/also', '/secret']);
    expect((await sync(source)).counts).toMatchObject({ unchanged: 2 });
    expect(await namesFor(eve)).toEqual([]);
    await change(source, { readers: ['everyone'], tags: ['open'] });
    expect((await find(eve, 'zanzibar')).sort()).toEqual(['/also', '/secret']);
    const { documents } = await adapters.documents.list(scope, { limit: 9, collection: 'plans' });
    expect(documents.map(({ tags }) => tags)).toEqual([['open'], ['open']]);
    await change(source, { readers: null, tags: null });
    expect((await find(eve, 'zanzibar')).sort()).toEqual(['/also', '/secret']);
  });

  test('also applies to a document that is being read at that moment', async () => {
    page('/held', 'Held for a while.');
    const source = await add('/held', { readers: ['subject:eve'], collection: 'held' });
    const reading = Promise.withResolvers<void>();
    const go = Promise.withResolvers<void>();
    onParse = async () => {
      reading.resolve();
      await go.promise;
    };
    const synced = sync(source);
    await reading.promise;
    await change(source, { readers: [], collection: 'moved', tags: ['late'] });
    go.resolve();
    expect((await synced).counts).toMatchObject({ added: 1 });
    expect([await namesFor(eve), await namesFor(scope, 'held'), await namesFor(scope, 'moved')]).toEqual([
      [],
      [],
      ['/held'],
    ]);
  });

  test('moves its documents, which stay the same documents and are not read again', async () => {
    for (const path of ['/a', '/b']) page(path, `Page ${path}.`);
    site.sitemap('/sitemap.xml', ['/a', '/b']);
    const source = await add('/sitemap.xml', { collection: 'from' });
    await sync(source);
    const ids = await Promise.all(['/a', '/b'].map((path) => idOf(path, 'from')));
    await change(source, { collection: 'to' });
    expect([await namesFor(scope, 'from'), await namesFor(scope, 'to')]).toEqual([[], ['/a', '/b']]);
    expect(await Promise.all(['/a', '/b'].map((path) => idOf(path, 'to')))).toEqual(ids);
    expect(
      (await adapters.index.search(scope, { query: 'page', limit: 9, collections: ['to'] })).passages,
    ).toHaveLength(2);
    site.requests.length = 0;
    expect((await sync(source)).counts).toMatchObject({ unchanged: 2 });
    expect(site.requests.filter(({ path }) => /^\/[ab]$/.test(path)).map(({ status }) => status)).toEqual([304, 304]);
  });

  test('leaves documents to the next sync if another document is in the way or another source also has them', async () => {
    for (const path of ['/taken', '/shared', '/free']) page(path, `Page ${path}.`);
    site.sitemap('/sitemap.xml', ['/taken', '/shared', '/free']);
    const source = await add('/sitemap.xml', { collection: 'here' });
    const other = await add('/shared', { collection: 'here' });
    await sync(source);
    await sync(other);
    await putDocument(env.postgres.db, `${site.host}/taken`, 'An upload.', {
      scope,
      placement: { collection: 'there' },
    });
    await change(source, { collection: 'there' });
    expect([await namesFor(scope, 'here'), await namesFor(scope, 'there')]).toEqual([
      ['/shared', '/taken'],
      ['/free', '/taken'],
    ]);
    expect((await sync(source)).counts).toMatchObject({ added: 1, replaced: 1, unchanged: 1, failed: 0 });
    expect([await namesFor(scope, 'here'), await namesFor(scope, 'there')]).toEqual([
      ['/shared'],
      ['/free', '/shared', '/taken'],
    ]);
    expect((await sync(other)).counts).toMatchObject({ unchanged: 1 });
    await adapters.sources.delete(scope, source.sourceId, 'remove');
    await adapters.workflows.syncSource(source);
    await env.client.workflow.getHandle(sourceWorkflowId(source.sourceId)).result();
    expect([await namesFor(scope, 'here'), await namesFor(scope, 'there')]).toEqual([['/shared'], []]);
  });

  test('changes nothing when another source has that address and collection, or it is another subject’s', async () => {
    page('/one', 'One.');
    const source = await add('/one', { collection: 'first', readers: ['everyone'] });
    await add('/one', { collection: 'second' });
    await sync(source);
    const before = await row(source);
    await expect(change(source, { collection: 'second', readers: [] })).rejects.toMatchObject({
      code: 'source_exists',
    });
    expect(await row(source)).toEqual(before);
    expect(await namesFor(eve, 'first')).toEqual(['/one']);
    expect(await adapters.sources.change(eve, source.sourceId, { readers: [] })).toBeUndefined();
    expect(await adapters.sources.change(scope, 'nope', { readers: [] })).toBeUndefined();
  });

  test('changes and removes no document of another owner, whose names take none of its own', async () => {
    page('/theirs', 'Ours now.');
    await putDocument(env.postgres.db, `${site.host}/theirs`, 'Theirs.', {
      scope: eve,
      placement: { collection: 'common' },
    });
    const source = await add('/theirs', { collection: 'common' });
    expect((await sync(source)).counts).toMatchObject({ added: 1, failed: 0 });
    expect((await sync(source)).counts).toMatchObject({ unchanged: 1 });
    // The version before recorded it as the item's document.
    await env.postgres.pool.query(
      `update source_items i set document_id = d.id, content_hash = d.content_hash from documents d
       where i.source_id = $1 and d.name = i.name and d.collection = 'common' and d.subject = 'eve'`,
      [source.sourceId],
    );
    await change(source, { readers: [] });
    await adapters.sources.delete(scope, source.sourceId, 'remove');
    await adapters.workflows.syncSource(source);
    await env.client.workflow.getHandle(sourceWorkflowId(source.sourceId)).result();
    expect(await namesFor(eve, 'common')).toEqual(['/theirs']);
    // One that may not be read is in no one's way, in a sync and in a move.
    page('/hidden', 'Ours.');
    for (const collection of ['common', 'elsewhere'])
      await putDocument(env.postgres.db, `${site.host}/hidden`, 'Theirs.', {
        scope: eve,
        placement: { collection, readers: [] },
      });
    const beside = await add('/hidden', { collection: 'common', readers: [] });
    expect((await sync(beside)).counts).toMatchObject({ added: 1 });
    await change(beside, { collection: 'elsewhere' });
    expect(await namesFor(scope, 'elsewhere')).toEqual(['/hidden']);
  });
});
