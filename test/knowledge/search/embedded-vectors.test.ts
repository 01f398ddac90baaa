import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { createEmbeddedIndex } from '../../../knowledge/search/embedded/embedded-index.ts';
import { createTestEnvironment, type TestEnvironment } from '../../support/environment/environment.ts';
import { embedAll, otherModel, toyModel } from '../../support/documents/passage-indexes.ts';
import { local, putDocument } from '../../support/documents/put-document.ts';
import { createWordEmbedder } from '../../support/documents/word-embedder.ts';
import { untilPasses } from '../../support/until.ts';

let env: TestEnvironment;
const opened: { close(): Promise<void> }[] = [];
beforeAll(async () => {
  env = await createTestEnvironment();
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((index) => index.close()));
  await env.postgres.pool.query('truncate documents, chunks, document_changes, embeddings restart identity cascade');
});
afterAll(() => env?.close());

const newDir = () => join(env.config.ALFRED_DATA_DIR, `index-${randomUUID()}`);
const put = (name: string, text: string) => putDocument(env.postgres.db, name, text);

test('a failed exchange of vectors is not started again by every search', async () => {
  const { db } = env.postgres;
  await put('pets.txt', 'The hound barks.');
  for (const model of [toyModel, otherModel]) await embedAll(db, model);
  let wanted = toyModel;
  const exchanges = { started: 0, failed: 0 };
  const log = Object.assign(Object.create(env.log) as typeof env.log, {
    info: () => void exchanges.started++,
    warn: () => void exchanges.failed++,
  });
  const model = async () => {
    if (exchanges.started > exchanges.failed) throw new Error('the disk is full');
    return wanted.name;
  };
  const index = createEmbeddedIndex({ db, dir: newDir(), log, model });
  opened.push(index);
  const find = () => index.find(local, { principals: ['everyone'] }, { text: 'barks' }, 1);
  await find();
  wanted = otherModel;
  await find();
  await untilPasses('the attempt is logged', async () => expect(exchanges).toEqual({ started: 1, failed: 1 }));
  for (let i = 0; i < 5; i++) await find();
  expect(exchanges).toEqual({ started: 1, failed: 1 });
});

test('a comparison does not accept the vectors of another model', async () => {
  const { db } = env.postgres;
  let wanted = toyModel;
  const index = createEmbeddedIndex({ db, dir: newDir(), log: env.log, model: async () => wanted.name });
  opened.push(index);
  await put('pets.txt', 'The hound barks.');
  for (const model of [toyModel, otherModel]) await embedAll(db, model);
  expect((await index.operations.verify('local')).withoutVector).toEqual([]);
  const { passages } = await index.state('local');
  wanted = otherModel;
  expect((await index.operations.verify('local')).withoutVector).toHaveLength(passages);
  await index.operations.rebuild('local');
  expect((await index.operations.verify('local')).withoutVector).toEqual([]);
});

test('passages of a document that changes often do not crowd out others', async () => {
  const { db } = env.postgres;
  const embedder = createWordEmbedder();
  const index = createEmbeddedIndex({ db, dir: newDir(), log: env.log, model: async () => embedder.model });
  opened.push(index);
  const parts = (count: number, of: string) =>
    Array.from({ length: count }, (_, i) => `# Part\n\n${of} ${i}.`).join('\n\n');
  const vector = await embedder.embedQuery('a hound that barks loudly', AbortSignal.timeout(1_000));
  await put('suns.txt', parts(100, 'The sun shines'));
  for (let i = 0; i < 12; i++) {
    await putDocument(db, 'dogs.txt', parts(20, 'A hound that barks loudly'), { placement: { tags: [`t${i}`] } });
    await embedder.store(db, await embedder.missing(db));
    const { dense } = await index.find(local, { principals: ['everyone'] }, { text: '', vector }, 100);
    expect(dense).toHaveLength(100);
  }
});

test('an index that is replaced again and again is reported with what to do, and searched when that has ended', async () => {
  const dir = newDir();
  await put('restless.txt', 'Pumice floats.');
  let isReplaced = true;
  const index = createEmbeddedIndex({
    db: env.postgres.db,
    dir,
    log: env.log,
    // Asked between the catch-up and the search.
    model: async () => {
      if (isReplaced) await rm(dir, { recursive: true, force: true });
      return '';
    },
  });
  opened.push(index);
  const find = () => index.find(local, { principals: ['everyone'] }, { text: 'pumice' }, 1);
  await expect(find()).rejects.toMatchObject({
    code: 'internal',
    message: expect.stringMatching(/replaced 20 times .* ALFRED_DATA_DIR of its own/),
  });
  isReplaced = false;
  expect((await find()).lexical).toHaveLength(1);
});
