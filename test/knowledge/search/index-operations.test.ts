import { randomUUID } from 'node:crypto';
import { mkdir, readFile, readdir, readlink, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { abandonedAfterMs } from '../../../knowledge/search/embedded/scratch-folder.ts';
import { createEmbeddedIndex } from '../../../knowledge/search/embedded/embedded-index.ts';
import type { PassageIndex } from '../../../knowledge/search/passage-index.ts';
import { createTestEnvironment, type TestEnvironment } from '../../support/environment/environment.ts';
import {
  createEmbeddedPlace,
  createQdrantPlace,
  qdrantUsed,
  type IndexPlace,
} from '../../support/documents/passage-indexes.ts';
import { local, putDocument } from '../../support/documents/put-document.ts';
import { createWordEmbedder } from '../../support/documents/word-embedder.ts';

const words = ['granite', 'basalt', 'marble', 'quartz', 'topaz', 'beryl', 'opal', 'jade'];
const embedder = createWordEmbedder();
const model = async () => embedder.model;

let env: TestEnvironment;
beforeAll(async () => {
  env = await createTestEnvironment();
  for (let i = 0; i < 120; i++) {
    const [a, b] = [words[i % 8], words[(i * 5 + 3) % 8]];
    await putDocument(env.postgres.db, `stone-${i}.txt`, `${a} and ${b}, number ${i}.`);
  }
  await embedder.store(env.postgres.db, await embedder.missing(env.postgres.db));
});
afterAll(() => env?.close());

const fileIn = () => join(env.config.ALFRED_DATA_DIR, `${randomUUID()}.index`);
const ask = async (index: PassageIndex, text: string) =>
  index.find(
    local,
    { principals: ['everyone'] },
    { text, vector: await embedder.embedQuery(text, new AbortController().signal) },
    10,
  );
const askAll = (index: PassageIndex) => Promise.all(words.map((word) => ask(index, word)));
/** The one part that holds the tenant. */
const partOf = (index: PassageIndex) => index.operations.parts([local.tenant])[0] ?? '';
const nothing = { missing: [], surplus: [], withoutVector: [] };

describe.each([
  ['the embedded index', createEmbeddedPlace],
  [qdrantUsed, createQdrantPlace],
])('%s', (_, createPlace) => {
  let place: IndexPlace;
  let opened: PassageIndex[] = [];
  const open = () => {
    const index = place.open(model);
    opened.push(index);
    return index;
  };
  beforeEach(async () => void (place = await createPlace(env)));
  afterEach(async () => {
    await Promise.all(opened.map((index) => index.close()));
    opened = [];
    await place.close();
  });

  test('while it is built anew every query is answered, and as before', async () => {
    const [index, other] = [open(), open()];
    const before = await askAll(index);
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
    try {
      for (let round = 0; round < 3; round++) await index.operations.rebuild(partOf(index));
    } finally {
      building = false;
    }
    await load;
    expect(asked).toBeGreaterThan(20);
    expect(await askAll(other)).toEqual(before);
    expect(await place.count()).toBe(1);
  });

  test('two that build it anew at once both succeed and leave one index', async () => {
    const [index, other] = [open(), open()];
    const before = await askAll(index);
    await Promise.all([index, other].map((one) => one.operations.rebuild(partOf(one))));
    expect(await askAll(index)).toEqual(before);
    expect(await askAll(other)).toEqual(before);
    expect(await place.count()).toBe(1);
    expect(await index.operations.verify(local.tenant)).toEqual(nothing);
  });

  test('a snapshot that is restored after everything is gone answers as before, and takes over what has changed since', async () => {
    const index = open();
    const before = await askAll(index);
    const file = fileIn();
    await index.operations.snapshot(partOf(index), file);
    await index.close();
    await place.wipe();

    const later = open();
    await later.operations.restore(partOf(later), file);
    expect(await later.state(local.tenant)).toMatchObject({ passages: 120, vectors: 120, behind: 0 });
    expect(await askAll(later)).toEqual(before);
    expect(await place.count()).toBe(1);
    try {
      await putDocument(env.postgres.db, 'late.txt', 'obsidian came late.');
      expect((await ask(later, 'obsidian')).lexical).toHaveLength(1);
      await later.operations.restore(partOf(later), file);
      expect((await ask(later, 'obsidian')).lexical).toHaveLength(1);
    } finally {
      await env.postgres.pool.query(
        `delete from document_changes where document_id = (select id from documents where name = 'late.txt')`,
      );
      await env.postgres.pool.query(`delete from documents where name = 'late.txt'`);
    }
  });

  test('a snapshot never replaces another file', async () => {
    const index = open();
    const file = fileIn();
    await writeFile(file, 'precious');
    await expect(index.operations.snapshot(partOf(index), file)).rejects.toThrow();
    await expect(index.operations.restore(partOf(index), file)).rejects.toMatchObject({ code: 'invalid_request' });
  });

  test('what is no snapshot is refused, and the index stays', async () => {
    const index = open();
    const before = await askAll(index);
    const file = fileIn();
    await writeFile(file, 'something else');
    await expect(index.operations.restore(partOf(index), file)).rejects.toMatchObject({
      code: 'invalid_request',
      message: expect.stringContaining(file),
    });
    await expect(index.operations.restore(partOf(index), fileIn())).rejects.toMatchObject({ code: 'invalid_request' });
    expect(await askAll(index)).toEqual(before);
    expect(await place.count()).toBe(1);
  });

  test('a comparison names what is missing, what is too much and what lacks its vector, and a rebuild puts it right', async () => {
    const index = open();
    expect(await index.operations.verify(local.tenant)).toEqual(nothing);
    await place.damage(local.tenant);
    const found = await index.operations.verify(local.tenant);
    expect([found.missing.length, found.surplus, found.withoutVector.length]).toEqual([1, ['nobody'], 1]);
    await index.operations.rebuild(partOf(index));
    expect(await index.operations.verify(local.tenant)).toEqual(nothing);
  });
});

describe('an embedded index that is built anew', () => {
  const opened: PassageIndex[] = [];
  const open = (dir: string) => {
    const index = createEmbeddedIndex({ db: env.postgres.db, dir, log: env.log, model });
    opened.push(index);
    return index;
  };
  const newDir = () => join(env.config.ALFRED_DATA_DIR, `index-${randomUUID()}`);
  afterEach(async () => void (await Promise.all(opened.splice(0).map((index) => index.close()))));

  /** Indexes below a folder that this process has open although they are removed, and which keep their space. */
  async function removedAndOpen(dir: string): Promise<string[]> {
    const links = await readdir('/proc/self/fd').catch(() => []);
    const paths = await Promise.all(links.map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')));
    return [...new Set(paths.filter((path) => path.startsWith(dir) && path.endsWith('.db (deleted)')))];
  }

  test('does not keep the space of every folder in which it was built', async () => {
    const dir = newDir();
    const index = open(dir);
    await ask(index, 'granite');
    for (let round = 0; round < 12; round++) await index.operations.rebuild(local.tenant);
    // The last one is closed with the next work; what a statement still holds goes when it is collected.
    expect((await removedAndOpen(dir)).filter((path) => path.includes('.rebuild-')).length).toBeLessThan(12);
  });

  test('by many at once is there in the end, whole', async () => {
    const dir = newDir();
    const indexes = Array.from({ length: 4 }, () => open(dir));
    for (let round = 0; round < 3; round++) {
      await Promise.all(indexes.map((index) => index.operations.rebuild(local.tenant)));
      const [folder = ''] = await readdir(dir);
      const current = await readFile(join(dir, folder, 'current'), 'utf8');
      expect((await stat(join(dir, folder, current))).size).toBeGreaterThan(100_000);
      // Of two in the same moment one's file was current for none; it goes when it is old.
      const longAgo = new Date(Date.now() - 2 * abandonedAfterMs);
      const others = (await readdir(join(dir, folder))).filter((name) => name.endsWith('.db') && name !== current);
      for (const name of others) await utimes(join(dir, folder, name), longAgo, longAgo);
      await ask(open(dir), 'granite');
      expect((await readdir(join(dir, folder))).filter((name) => name.endsWith('.db'))).toEqual([current]);
    }
  });

  test('removes what a killed process left half done, and nothing that somebody is at', async () => {
    const dir = newDir();
    await ask(open(dir), 'granite');
    const [folder = ''] = await readdir(dir);
    const left = {
      old: `${folder}.rebuild-00000000`,
      busy: `${folder}.rebuild-11111111`,
      file: join(folder, 'passages-000000000000.db'),
      pointer: join(folder, 'current.passages-000000000000.db'),
      fresh: join(folder, 'passages-111111111111.db'),
    };
    const longAgo = new Date(Date.now() - 2 * abandonedAfterMs);
    for (const name of [left.old, left.busy]) {
      await mkdir(join(dir, name));
      await writeFile(join(dir, name, 'passages-222222222222.db-wal'), 'half');
      await utimes(join(dir, name), longAgo, longAgo);
    }
    for (const name of [left.file, left.pointer, left.fresh]) await writeFile(join(dir, name), 'half');
    for (const name of [join(left.old, 'passages-222222222222.db-wal'), left.file, left.pointer])
      await utimes(join(dir, name), longAgo, longAgo);

    await ask(open(dir), 'granite');
    const there = await readdir(dir, { recursive: true });
    expect(Object.values(left).filter((name) => there.includes(name))).toEqual([left.busy, left.fresh]);
  });
});
