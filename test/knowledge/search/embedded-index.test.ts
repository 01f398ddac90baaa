import { cp, open, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createClient } from '@libsql/client';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createDocuments } from '../../../knowledge/store/documents.ts';
import { createEmbeddedIndex } from '../../../knowledge/search/embedded/embedded-index.ts';
import { createSearch } from '../../../knowledge/search/search.ts';
import type { Scope } from '../../../contract/references.ts';
import { createTestEnvironment, type TestEnvironment } from '../../support/environment/environment.ts';
import { embedAll, otherModel, toyModel, toyVector } from '../../support/documents/passage-indexes.ts';
import { local, putDocument } from '../../support/documents/put-document.ts';
import { untilPasses } from '../../support/until.ts';
import { languageCases } from './language-cases.ts';

let env: TestEnvironment;
let folder = 0;
const opened: { close(): Promise<void> }[] = [];
beforeAll(async () => {
  env = await createTestEnvironment();
});
afterEach(async () => void (await Promise.all(opened.splice(0).map((index) => index.close()))));
afterAll(() => env?.close());

const newDir = () => join(env.config.ALFRED_DATA_DIR, `index-${++folder}`);
const create = (dir = newDir(), db = env.postgres.db) => {
  const index = createEmbeddedIndex({ db, dir, log: env.log, model: async () => '' });
  const embeddings = { embedder: async () => undefined, close: async () => {} };
  const search = createSearch({ db, index, embeddings, log: env.log });
  opened.push(search);
  return {
    search: async (scope: Scope, query: string, limit: number) =>
      (await search.search(scope, { query, limit })).passages,
    close: () => search.close(),
  };
};
type Index = ReturnType<typeof create>;
const put = (name: string, text: string, scope = local) => putDocument(env.postgres.db, name, text, { scope });
const textsOf = async (index: Index, query: string, scope = local) =>
  (await index.search(scope, query, 20)).map(({ text }) => text);

/** The index file of the tenant `local` that is in use in `dir`. */
async function fileIn(dir: string) {
  const folder = join(dir, (await readdir(dir)).find((name) => name.startsWith('local-')) ?? '');
  return join(folder, await readFile(join(folder, 'current'), 'utf8'));
}

/** The number of passages and of full-text rows in the file, read without the index. */
async function rowsIn(dir: string) {
  const client = createClient({ url: `file:${await fileIn(dir)}` });
  try {
    const { rows } = await client.execute(
      'select (select count(*) from passages), (select count(*) from words_docsize)',
    );
    return { passages: rows[0]?.[0], words: rows[0]?.[1] };
  } finally {
    client.close();
  }
}

/** Copies an index, which may be open, into files that no process has open. */
async function copyIndex(from: string, to: string) {
  await cp(from, to, { recursive: true });
  const [source, target] = [await fileIn(from), await fileIn(to)];
  for (const suffix of ['', '-wal', '-shm']) await rm(`${target}${suffix}`, { force: true });
  const client = createClient({ url: `file:${source}` });
  await client.execute({ sql: 'vacuum into ?', args: [target] });
  client.close();
}
const chunksInPostgres = async () =>
  (
    await env.postgres.db
      .selectFrom('chunks as c')
      .innerJoin('documents as d', 'd.id', 'c.document_id')
      .select('c.id')
      .where('d.tenant', '=', 'local')
      .execute()
  ).length;

describe('a search', () => {
  test('finds the passage that answers a question, with its place in the document', async () => {
    const text =
      '# Expense reports\n\nFile your expense report within 30 days.\n\n# Limits\n\nMeals up to 1,000 crowns a day.';
    const { documentId } = await put('expenses.md', text);
    const [first] = await create().search(local, 'How many days do I have to file an expense report?', 5);
    expect(first).toMatchObject({
      documentId,
      document: 'expenses.md',
      title: 'Expense reports',
      headingPath: ['Expense reports'],
      page: null,
    });
    expect(first?.text).toBe('File your expense report within 30 days.');
    expect(text.slice(first?.start, first?.end)).toBe(first?.text);
    expect(first?.score).toBeGreaterThan(0);
  });

  test('sees added, replaced and deleted documents at once', async () => {
    const index = create();
    expect(await textsOf(index, 'zeppelin')).toEqual([]);
    const { documentId } = await put('airship.txt', 'The zeppelin lands.');
    expect(await textsOf(index, 'zeppelin')).toEqual(['The zeppelin lands.']);
    await put('airship.txt', 'The balloon lands.');
    expect(await textsOf(index, 'zeppelin')).toEqual([]);
    expect(await textsOf(index, 'balloon')).toEqual(['The balloon lands.']);
    await createDocuments(env.postgres.db).delete(local, documentId);
    expect(await textsOf(index, 'balloon')).toEqual([]);
  });

  test('never shows passages of another tenant', async () => {
    const other = { tenant: 'other', subject: 'local' };
    await put('secret.txt', 'The merger is called Platypus.', other);
    const index = create();
    expect(await textsOf(index, 'platypus')).toEqual([]);
    expect(await textsOf(index, 'platypus', other)).toEqual(['The merger is called Platypus.']);
  });

  test.each([
    ['only punctuation', '?! … "" * --', 0],
    ['FTS syntax', 'body : parental AND NOT (NEAR(leave) ^ "', 1],
    ['an unclosed quote and a column filter', '"parental OR title:', 1],
    ['a null character', 'parental\0leave', 1],
    ['two thousand words', `${'word '.repeat(2_000)}`, 0],
    ['only stop words', 'what is it', 1],
    ['nothing', '', 0],
  ])('takes %s as words', async (_, query, hits) => {
    await put('parental.txt', 'Parental leave is sixteen weeks.');
    expect(await textsOf(create(), query)).toHaveLength(hits);
  });

  test('no query fails', async () => {
    const index = create();
    const query = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.constantFrom('"', '*', '^', ':', '(', ')', '-', '+', ' ', 'NOT ', 'a', '差', '\0') }),
    );
    await fc.assert(
      fc.asyncProperty(query, async (text) => void (await index.search(local, text, 3))),
      { numRuns: 200 },
    );
  });

  test.each([
    // Those whose document has a language are in the conformance tests.
    ...languageCases.filter(([, , , language]) => language === undefined),
    ['Japanese', '経費は三十日以内に精算してください。', '精算'],
    ['full-width letters', 'Ｗｉ－Ｆｉ ｇｕｅｓｔｓ only.', 'guests'],
  ])('finds %s', async (_, text, query) => {
    await put('language.txt', text);
    expect(await textsOf(create(), query)).toContain(text);
  });
});

describe('the index file', () => {
  test('is built again after it was removed, by an open and by a new process', async () => {
    const dir = newDir();
    await put('lasting.txt', 'Granite lasts.');
    const before = create(dir);
    expect(await textsOf(before, 'granite')).toEqual(['Granite lasts.']);
    await rm(dir, { recursive: true });
    // The process that has it open continues, and the next one starts again.
    await put('lasting.txt', 'Basalt lasts.');
    expect(await textsOf(before, 'basalt')).toEqual(['Basalt lasts.']);
    expect(await textsOf(create(dir), 'basalt')).toEqual(['Basalt lasts.']);
    expect(await rowsIn(dir)).toEqual({ passages: await chunksInPostgres(), words: await chunksInPostgres() });
  });

  test.each([
    ['no database', async (path: string) => writeFile(path, 'not a database '.repeat(1_000))],
    ['empty', async (path: string) => writeFile(path, '')],
    [
      'overwritten in the middle',
      async (path: string) => {
        const file = await open(path, 'r+');
        const { size } = await file.stat();
        await file.write(Buffer.alloc(size - 4_096, 0xa5), 0, size - 4_096, 4_096);
        await file.close();
      },
    ],
  ])('is built again when it is %s', async (_, spoil) => {
    const [whole, dir] = [newDir(), newDir()];
    await put('spoilt.txt', 'Marble cracks.');
    await textsOf(create(whole), 'marble');
    await copyIndex(whole, dir);
    await spoil(await fileIn(dir));
    expect(await textsOf(create(dir), 'marble')).toEqual(['Marble cracks.']);
    expect(await rowsIn(dir)).toEqual({ passages: await chunksInPostgres(), words: await chunksInPostgres() });
  });

  test('that several processes open at once contains every passage once', async () => {
    const dir = newDir();
    const indexes = Array.from({ length: 4 }, () => create(dir));
    const rounds = Array.from({ length: 30 }, async (_, i) => {
      await put(`crowd-${i}.txt`, `# Crowd\n\nCrowd number${i}.\n\nSecond crowd.`);
      const seen = await Promise.all(indexes.map((index) => textsOf(index, `number${i}`)));
      for (const texts of seen) expect(texts).toEqual([`Crowd number${i}.`]);
    });
    await Promise.all(rounds);
    expect(await rowsIn(dir)).toEqual({ passages: await chunksInPostgres(), words: await chunksInPostgres() });
  });

  test('is brought up to date once for searches at the same time', async () => {
    let catchUps = 0;
    const index = createEmbeddedIndex({ db: env.postgres.db, dir: newDir(), log: env.log, model: async () => '' });
    opened.push(index);
    env.postgres.pool.on('acquire', () => catchUps++);
    const filter = { principals: ['everyone'] };
    await Promise.all(Array.from({ length: 50 }, () => index.find(local, filter, { text: 'nothing' }, 1)));
    env.postgres.pool.removeAllListeners('acquire');
    // At most two runs, each with a few queries. Fifty runs would need far more.
    expect(catchUps).toBeLessThan(30);
  });

  test('shared by processes with different models has one model’s vectors, and is not swapped back and forth', async () => {
    const dir = newDir();
    await put('pets.txt', 'The hound barks.');
    for (const model of [toyModel, otherModel]) await embedAll(env.postgres.db, model);
    const [first, second] = [toyModel, otherModel].map((model) => {
      const index = createEmbeddedIndex({ db: env.postgres.db, dir, log: env.log, model: async () => model.name });
      opened.push(index);
      const query = { text: 'barks', vector: toyVector(model, 'dog') };
      return async () => {
        const { lexical, dense } = await index.find(local, { principals: ['everyone'] }, query, 1);
        expect(lexical).toHaveLength(1);
        return dense.length;
      };
    });
    if (!first || !second) throw new Error('there are two');
    expect(await first()).toBe(1);
    // The vectors of the two models have different lengths: to compare them would throw.
    await untilPasses('the second reader finds it', async () => expect(await second()).toBe(1));
    await untilPasses('the first reader finds it', async () => expect(await first()).toBe(1));
    const file = await fileIn(dir);
    for (let i = 0; i < 50; i++) expect([await first(), await second()]).toEqual([1, 0]);
    expect(await fileIn(dir)).toBe(file);
  });

  test('that cannot be written is reported with what to do', async () => {
    const path = join(env.config.ALFRED_DATA_DIR, 'a-file');
    await writeFile(path, '');
    await expect(create(path).search(local, 'granite', 1)).rejects.toMatchObject({
      code: 'index_unavailable',
      message: expect.stringContaining('ALFRED_DATA_DIR'),
    });
  });

  test('works again when its folder can be written', async () => {
    const path = join(env.config.ALFRED_DATA_DIR, 'in-the-way');
    await writeFile(path, '');
    const index = create(path);
    await expect(index.search(local, 'granite', 1)).rejects.toThrow();
    await rm(path);
    await put('healed.txt', 'Granite heals.');
    expect(await textsOf(index, 'heals')).toEqual(['Granite heals.']);
  });
});

describe('another database for the same file', () => {
  test('one that was emptied leaves nothing of the old one, also with more changes than before', async () => {
    const dir = newDir();
    await put('old.txt', 'Obsidian from before.');
    const index = create(dir);
    expect(await textsOf(index, 'obsidian')).toHaveLength(1);
    await env.postgres.pool.query('truncate documents, chunks, document_changes restart identity cascade');
    expect(await textsOf(index, 'obsidian')).toEqual([]);
    for (let i = 0; i < 50; i++) await put(`new-${i}.txt`, `Quartz ${i}.`);
    expect(await textsOf(create(dir), 'obsidian')).toEqual([]);
    expect((await create(dir).search(local, 'quartz', 50)).length).toBe(50);
    expect(await rowsIn(dir)).toEqual({ passages: 50, words: 50 });
  });

  test('one whose change numbers passed those of the file before the first search is noticed', async () => {
    const dir = newDir();
    const index = create(dir);
    await textsOf(index, 'quartz');
    await env.postgres.pool.query('truncate documents, chunks, document_changes restart identity cascade');
    for (let i = 0; i < 60; i++) await put(`newer-${i}.txt`, `Topaz ${i}.`);
    expect(await textsOf(index, 'quartz')).toEqual([]);
    expect(await rowsIn(dir)).toEqual({ passages: 60, words: 60 });
  });

  test('one on another server is followed from its beginning', async () => {
    const dir = newDir();
    const index = create(dir);
    await textsOf(index, 'topaz');
    const other = await createTestEnvironment();
    try {
      for (let i = 0; i < 70; i++) await putDocument(other.postgres.db, `their-${i}.txt`, `Beryl ${i}.`);
      const theirs = create(dir, other.postgres.db);
      expect(await textsOf(theirs, 'topaz')).toEqual([]);
      expect(await textsOf(theirs, 'beryl')).toHaveLength(20);
      expect(await rowsIn(dir)).toEqual({ passages: 70, words: 70 });
      await theirs.close();
    } finally {
      await other.close();
    }
  });
});
