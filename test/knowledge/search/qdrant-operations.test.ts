import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { withLease } from '../../../knowledge/search/qdrant/with-lease.ts';
import { QdrantRefusal } from '../../support/fakes/fake-qdrant-filter.ts';
import { embedAll, toyModel, toyVector } from '../../support/documents/passage-indexes.ts';
import { local } from '../../support/documents/put-document.ts';
import { untilPasses } from '../../support/until.ts';
import { countHits, everyone, useFakeQdrant } from './use-fake-qdrant.ts';

const { config, emptyDocuments, open, postgres, put, startServer } = useFakeQdrant();
const allTenants = 'all tenants';
let files = 0;
const newFile = () => join(config().ALFRED_DATA_DIR, `qdrant-${++files}.index`);

test('a rebuild fills a collection first, and then changes the alias once', async () => {
  const fake = await startServer();
  await put('a.txt', 'Granite lasts.');
  const index = open(fake.url);
  expect(await countHits(index, 'granite')).toBe(1);
  fake.operations.length = 0;
  await index.operations.rebuild(allTenants);
  const changes = fake.operations.filter((one) =>
    ['upsert_points', 'update_aliases', 'delete_collection'].includes(one),
  );
  expect(changes.slice(-2)).toEqual(['update_aliases', 'delete_collection']);
  expect(changes.slice(0, -2).every((one) => one === 'upsert_points')).toBe(true);
  expect([...fake.collections.keys()]).toEqual([expect.stringMatching(/^passages-2-x[0-9a-f]{8}$/)]);
  expect([...fake.aliases.values()]).toEqual([...fake.collections.keys()]);
  expect(await countHits(index, 'granite')).toBe(1);
});

test('a rebuild that fails leaves the serving collection, and no other', async () => {
  let isFull = false;
  const before = (operation: string) => {
    if (isFull && operation === 'upsert_points') throw new QdrantRefusal(500, 'disk full');
  };
  const fake = await startServer({ before });
  await put('a.txt', 'Granite lasts.');
  const index = open(fake.url);
  expect(await countHits(index, 'granite')).toBe(1);
  isFull = true;
  await expect(index.operations.rebuild(allTenants)).rejects.toMatchObject({ code: 'index_unavailable' });
  expect([...fake.collections.keys()]).toEqual(['passages-1']);
  expect(await countHits(index, 'granite')).toBe(1);
});

test('the unfinished collection of a process that died is removed by the next one, that of a running process stays', async () => {
  const fake = await startServer();
  await put('a.txt', 'Granite lasts.');
  expect(await countHits(open(fake.url), 'granite')).toBe(1);
  const [served] = [...fake.collections.values()];
  if (!served) throw new Error('nothing serves');
  const [dead, busy] = ['passages-7-xdeadbeef', 'passages-8-x0badcafe'];
  const foreign = ['passages-7-1', 'passages-7-x1', 'other-2-xdeadbeef'];
  for (const name of [dead, busy, ...foreign]) fake.collections.set(name, served);
  await withLease(postgres().db, 'qdrant passages x0badcafe', async () => {
    expect(await countHits(open(fake.url), 'granite')).toBe(1);
    expect([...fake.collections.keys()]).toEqual(['passages-1', busy, ...foreign]);
    await open(fake.url).operations.rebuild(allTenants);
    expect(fake.collections.has(busy)).toBe(true);
  });
  expect(await countHits(open(fake.url), 'granite')).toBe(1);
  expect([...fake.collections.keys()]).toEqual([...foreign, expect.stringMatching(/^passages-9-/)]);
});

test('work whose lease is lost gets an abort signal', async () => {
  const { db, pool } = postgres();
  const work = async (signal: AbortSignal) => {
    // Listens before the connection is ended: the loss may be noticed before the statement has answered.
    const loss = new Promise<never>((_, reject) =>
      signal.addEventListener('abort', () => reject(signal.reason as Error)),
    );
    loss.catch(() => {});
    await pool.query(`select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and pid <> pg_backend_pid()
      and database = (select oid from pg_database where datname = current_database())`);
    return loss;
  };
  await expect(withLease(db, 'some work', work, 10)).rejects.toThrow();
  await withLease(db, 'some work', async (signal) => expect(signal.aborted).toBe(false));
});

test('a model that changes during a rebuild gets its collection too', async () => {
  const fake = await startServer();
  await put('a.txt', 'The hound barks.');
  expect(await countHits(open(fake.url), 'barks')).toBe(1);
  await embedAll(postgres().db, toyModel);
  const modern = open(fake.url, { model: async () => toyModel.name });
  await Promise.all([open(fake.url).operations.rebuild(allTenants), countHits(modern, 'barks')]);
  const query = { text: '', vector: toyVector(toyModel, 'dog') };
  await untilPasses('the vectors are found', async () =>
    expect((await modern.find(local, everyone, query, 5)).dense).toHaveLength(1),
  );
  await untilPasses('one collection is left', async () => expect(fake.collections.size).toBe(1));
});

test('a snapshot needs the key too, and neither the file nor the error contains it', async () => {
  const fake = await startServer({ key: 'sesame' });
  await put('a.txt', 'Granite lasts.');
  const index = open(fake.url, { key: 'sesame' });
  const file = newFile();
  await index.operations.snapshot(allTenants, file);
  expect(await readFile(file, 'utf8')).not.toContain('sesame');
  expect(fake.snapshots.list([...fake.collections.keys()][0] ?? '')).toEqual([]);
  const error = await open(fake.url, { key: 'wrong-one' })
    .operations.restore(allTenants, file)
    .then(
      () => undefined,
      (error: Error) => error,
    );
  expect(error).toMatchObject({ code: 'index_unavailable', message: expect.stringContaining('VECTOR_DB_KEY') });
  expect(error?.message).not.toContain('wrong-one');
});

test('a snapshot is a first line and Qdrant’s own snapshot; a changed or truncated file is refused', async () => {
  const fake = await startServer();
  await put('a.txt', 'Granite lasts.');
  const index = open(fake.url);
  const file = newFile();
  await index.operations.snapshot(allTenants, file);
  const whole = await readFile(file, 'utf8');
  const head = JSON.parse(whole.slice(0, whole.indexOf('\n'))) as Record<string, unknown>;
  expect(head).toMatchObject({
    alfred: 'qdrant-snapshot',
    alias: 'passages',
    collection: 'passages-1',
    tenants: ['local'],
  });
  const [changed, cut, older] = [newFile(), newFile(), newFile()];
  await writeFile(changed, whole.replace('"updated":', '"Updated":'));
  await writeFile(cut, whole.slice(0, -10));
  await writeFile(older, whole.replace(/"format":\d+/, '"format":1'));
  await expect(index.operations.restore(allTenants, changed)).rejects.toThrow('checksum mismatch');
  await expect(index.operations.restore(allTenants, cut)).rejects.toThrow(/it has \d+ of \d+ bytes/);
  await expect(index.operations.restore(allTenants, older)).rejects.toThrow('another version of Alfred');
  expect([...fake.collections.keys()]).toEqual(['passages-1']);
  expect(await countHits(index, 'granite')).toBe(1);
});

test('a snapshot of another history is emptied and filled again, also for tenants that are gone', async () => {
  const fake = await startServer();
  await put('a.txt', 'Granite lasts.');
  await put('b.txt', 'Granite of theirs.', { tenant: 'other', subject: 'ann' });
  const index = open(fake.url);
  const file = newFile();
  await index.operations.snapshot(allTenants, file);
  await emptyDocuments();
  await put('c.txt', 'Basalt lasts.');
  await index.operations.restore(allTenants, file);
  expect([await countHits(index, 'granite'), await countHits(index, 'basalt')]).toEqual([0, 1]);
  const { points } = [...fake.collections.values()][0] ?? {};
  expect(points?.count({ must: [{ key: 'tenant', match: { value: 'other' } }] })).toBe(0);
});

test('a server with several nodes refuses to save and to restore a snapshot', async () => {
  const alone = await startServer();
  await put('a.txt', 'Granite lasts.');
  const file = newFile();
  await open(alone.url).operations.snapshot(allTenants, file);
  const index = open((await startServer({ nodes: 3 })).url);
  const refusal = { code: 'invalid_request', message: expect.stringContaining('3 nodes') };
  await expect(index.operations.snapshot(allTenants, newFile())).rejects.toMatchObject(refusal);
  await expect(index.operations.restore(allTenants, file)).rejects.toMatchObject(refusal);
});
