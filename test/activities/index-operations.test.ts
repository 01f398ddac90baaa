import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createClient } from '@libsql/client';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { createEmbeddedIndex } from '../../activities/adapters/search/embedded/embedded-index.ts';
import type { PassageIndex } from '../../activities/adapters/search/passage-index.ts';
import { createTestEnvironment, type TestEnvironment } from '../support/environment.ts';
import { local, putDocument } from '../support/put-document.ts';
import { wordEmbedder } from '../support/word-embedder.ts';

const words = ['granite', 'basalt', 'marble', 'quartz', 'topaz', 'beryl', 'opal', 'jade'];
const embedder = wordEmbedder();

let env: TestEnvironment;
const opened: PassageIndex[] = [];
beforeAll(async () => {
  env = await createTestEnvironment();
  for (let i = 0; i < 120; i++) {
    const [a, b] = [words[i % 8], words[(i * 5 + 3) % 8]];
    await putDocument(env.postgres.db, `stone-${i}.txt`, `${a} and ${b}, number ${i}.`);
  }
  await embedder.store(env.postgres.db, await embedder.missing(env.postgres.db));
});
afterEach(async () => void (await Promise.all(opened.splice(0).map((index) => index.close()))));
afterAll(() => env?.close());

let folder = 0;
function create(dir = join(env.config.ALFRED_DATA_DIR, `ops-${++folder}`)) {
  const index = createEmbeddedIndex({ db: env.postgres.db, dir, log: env.log, model: async () => embedder.model });
  opened.push(index);
  return { dir, index };
}
const operations = (index: PassageIndex) => {
  if (!index.operations) throw new Error('the embedded index has them');
  return index.operations;
};
const ask = async (index: PassageIndex, text: string) =>
  index.find(
    local,
    { principals: ['everyone'] },
    { text, vector: await embedder.embedQuery(text, new AbortController().signal) },
    10,
  );
const askAll = (index: PassageIndex) => Promise.all(words.map((word) => ask(index, word)));

test('while it is built anew every query is answered, and as before', async () => {
  const { dir, index } = create();
  const before = await askAll(index);
  // Another process on the same folder, as the API is beside a worker.
  const { index: other } = create(dir);
  let building = true;
  let asked = 0;
  const load = Promise.all(
    [index, other].map(async (one) => {
      while (building) {
        expect(await askAll(one)).toEqual(before);
        asked += words.length;
      }
    }),
  );
  for (let round = 0; round < 5; round++) await operations(index).rebuild(local.tenant);
  building = false;
  await load;
  expect(asked).toBeGreaterThan(20);
  expect(await askAll(other)).toEqual(before);
  const [tenant = ''] = await readdir(dir);
  expect((await readdir(join(dir, tenant))).filter((name) => name.endsWith('.db'))).toHaveLength(1);
});

test('a snapshot that is restored after everything is gone answers as before, and takes over what has changed since', async () => {
  const { dir, index } = create();
  const before = await askAll(index);
  const file = join(env.config.ALFRED_DATA_DIR, 'local.index');
  await operations(index).snapshot(local.tenant, file);
  await index.close();
  await rm(dir, { recursive: true });

  const { index: later } = create(dir);
  await operations(later).restore(local.tenant, file);
  expect(await later.state(local.tenant)).toMatchObject({ passages: 120, vectors: 120, behind: 0 });
  expect(await askAll(later)).toEqual(before);
  await putDocument(env.postgres.db, 'late.txt', 'obsidian came late.');
  expect((await later.state(local.tenant)).behind).toBe(1);
  expect((await ask(later, 'obsidian')).lexical).toHaveLength(1);
});

test('what is no snapshot is refused, and the index stays', async () => {
  const { index } = create();
  const before = await askAll(index);
  const file = join(env.config.ALFRED_DATA_DIR, 'something-else');
  await writeFile(file, 'something else');
  await expect(operations(index).restore(local.tenant, file)).rejects.toMatchObject({
    code: 'invalid_request',
    message: expect.stringContaining('holds no index of this version'),
  });
  await expect(operations(index).restore(local.tenant, `${file}-2`)).rejects.toMatchObject({ code: 'invalid_request' });
  expect(await askAll(index)).toEqual(before);
});

test('a comparison names what is missing, what is too much and what lacks its vector, and a rebuild puts it right', async () => {
  const { dir, index } = create();
  expect(await operations(index).verify(local.tenant)).toEqual({ missing: [], surplus: [], withoutVector: [] });
  const [tenant = ''] = await readdir(dir);
  await mkdir(join(dir, tenant), { recursive: true });
  const name = (await readdir(join(dir, tenant))).find((one) => one.endsWith('.db')) ?? '';
  const client = createClient({ url: `file:${join(dir, tenant, name)}` });
  await client.batch(
    [
      'delete from passages where id = 1',
      'delete from vectors where passage = 2',
      `insert into passages (chunk_id, document, class, updated) values ('nobody', 1, 1, 0)`,
    ],
    'write',
  );
  client.close();
  const found = await operations(index).verify(local.tenant);
  expect([found.missing.length, found.surplus, found.withoutVector.length]).toEqual([1, ['nobody'], 1]);
  await operations(index).rebuild(local.tenant);
  expect(await operations(index).verify(local.tenant)).toEqual({ missing: [], surplus: [], withoutVector: [] });
});
