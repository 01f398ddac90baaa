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
const query = async (index: PassageIndex, text: string) =>
  index.find(
    local,
    { principals: ['everyone'] },
    { text, vector: await embedder.embedQuery(text, new AbortController().signal) },
    10,
  );
const queryAll = (index: PassageIndex) => Promise.all(words.map((word) => query(index, word)));
/** The name of the part that contains the tenant. */
const partOf = (index: PassageIndex) => index.operations.parts([local.tenant])[0] ?? '';
const noDifferences = { missing: [], surplus: [], withoutVector: [] };

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
  beforeEach(async () => {
    place = await createPlace(env);
  });
  afterEach(async () => {
    await Promise.all(opened.map((index) => index.close()));
    opened = [];
    await place.close();
  });

  test('during a rebuild every query is answered, with the same result', async () => {
    const [index, other] = [open(), open()];
    const before = await queryAll(index);
    let building = true;
    let queries = 0;
    const load = Promise.all(
      [index, other].map(async (queried) => {
        while (building) {
          expect(await queryAll(queried)).toEqual(before);
          queries += words.length;
        }
      }),
    );
    try {
      for (let round = 0; round < 3; round++) await index.operations.rebuild(partOf(index));
    } finally {
      building = false;
    }
    await load;
    expect(queries).toBeGreaterThan(20);
    expect(await queryAll(other)).toEqual(before);
    expect(await place.count()).toBe(1);
  });

  test('two rebuilds at once both succeed and leave one index', async () => {
    const [index, other] = [open(), open()];
    const before = await queryAll(index);
    await Promise.all([index, other].map((rebuilt) => rebuilt.operations.rebuild(partOf(rebuilt))));
    expect(await queryAll(index)).toEqual(before);
    expect(await queryAll(other)).toEqual(before);
    expect(await place.count()).toBe(1);
    expect(await index.operations.verify(local.tenant)).toEqual(noDifferences);
  });

  test('a snapshot restored after everything is lost answers as before, and is brought up to date', async () => {
    const index = open();
    const before = await queryAll(index);
    const file = fileIn();
    await index.operations.snapshot(partOf(index), file);
    await index.close();
    await place.wipe();

    const later = open();
    await later.operations.restore(partOf(later), file);
    expect(await later.state(local.tenant)).toMatchObject({ passages: 120, vectors: 120, behind: 0 });
    expect(await queryAll(later)).toEqual(before);
    expect(await place.count()).toBe(1);
    try {
      await putDocument(env.postgres.db, 'late.txt', 'obsidian came late.');
      expect((await query(later, 'obsidian')).lexical).toHaveLength(1);
      await later.operations.restore(partOf(later), file);
      expect((await query(later, 'obsidian')).lexical).toHaveLength(1);
    } finally {
      await env.postgres.pool.query(
        `delete from document_changes where document_id = (select id from documents where name = 'late.txt')`,
      );
      await env.postgres.pool.query(`delete from documents where name = 'late.txt'`);
    }
  });

  test('a snapshot never overwrites a file', async () => {
    const index = open();
    const file = fileIn();
    await writeFile(file, 'precious');
    await expect(index.operations.snapshot(partOf(index), file)).rejects.toThrow();
    await expect(index.operations.restore(partOf(index), file)).rejects.toMatchObject({ code: 'invalid_request' });
  });

  test('a file that is no snapshot is refused, and the index is unchanged', async () => {
    const index = open();
    const before = await queryAll(index);
    const file = fileIn();
    await writeFile(file, 'something else');
    await expect(index.operations.restore(partOf(index), file)).rejects.toMatchObject({
      code: 'invalid_request',
      message: expect.stringContaining(file),
    });
    await expect(index.operations.restore(partOf(index), fileIn())).rejects.toMatchObject({ code: 'invalid_request' });
    expect(await queryAll(index)).toEqual(before);
    expect(await place.count()).toBe(1);
  });

  test('a comparison names missing and surplus chunks and missing vectors, and a rebuild repairs them', async () => {
    const index = open();
    expect(await index.operations.verify(local.tenant)).toEqual(noDifferences);
    await place.damage(local.tenant);
    const differences = await index.operations.verify(local.tenant);
    expect([differences.missing.length, differences.surplus, differences.withoutVector.length]).toEqual([
      1,
      ['nobody'],
      1,
    ]);
    await index.operations.rebuild(partOf(index));
    expect(await index.operations.verify(local.tenant)).toEqual(noDifferences);
  });
});

describe('a rebuild of the embedded index', () => {
  const opened: PassageIndex[] = [];
  const open = (dir: string) => {
    const index = createEmbeddedIndex({ db: env.postgres.db, dir, log: env.log, model });
    opened.push(index);
    return index;
  };
  const newDir = () => join(env.config.ALFRED_DATA_DIR, `index-${randomUUID()}`);
  afterEach(async () => void (await Promise.all(opened.splice(0).map((index) => index.close()))));

  /** Removed indexes below a folder that this process still has open. They keep their disk space. */
  async function removedAndOpen(dir: string): Promise<string[]> {
    const links = await readdir('/proc/self/fd').catch(() => []);
    const paths = await Promise.all(links.map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')));
    return [...new Set(paths.filter((path) => path.startsWith(dir) && path.endsWith('.db (deleted)')))];
  }

  test('frees the space of the folders in which it was built', async () => {
    const dir = newDir();
    const index = open(dir);
    await query(index, 'granite');
    for (let round = 0; round < 12; round++) await index.operations.rebuild(local.tenant);
    // The last one is closed with the next job. A statement keeps its file open until it is garbage-collected.
    expect((await removedAndOpen(dir)).filter((path) => path.includes('.rebuild-')).length).toBeLessThan(12);
  });

  test('by several processes at once ends with one complete index', async () => {
    const dir = newDir();
    const indexes = Array.from({ length: 4 }, () => open(dir));
    for (let round = 0; round < 3; round++) {
      await Promise.all(indexes.map((index) => index.operations.rebuild(local.tenant)));
      const [folder = ''] = await readdir(dir);
      const current = await readFile(join(dir, folder, 'current'), 'utf8');
      expect((await stat(join(dir, folder, current))).size).toBeGreaterThan(100_000);
      // Of two at the same moment, one file may have been used by no process. It is removed when it is old.
      const longAgo = new Date(Date.now() - 2 * abandonedAfterMs);
      const others = (await readdir(join(dir, folder))).filter((name) => name.endsWith('.db') && name !== current);
      for (const name of others) await utimes(join(dir, folder, name), longAgo, longAgo);
      await query(open(dir), 'granite');
      expect((await readdir(join(dir, folder))).filter((name) => name.endsWith('.db'))).toEqual([current]);
    }
  });

  test('removes unfinished files of killed processes, and none of a running process', async () => {
    const dir = newDir();
    await query(open(dir), 'granite');
    const [folder = ''] = await readdir(dir);
    const leftovers = {
      old: `${folder}.rebuild-00000000`,
      busy: `${folder}.rebuild-11111111`,
      file: join(folder, 'passages-000000000000.db'),
      pointer: join(folder, 'current.passages-000000000000.db'),
      fresh: join(folder, 'passages-111111111111.db'),
    };
    const longAgo = new Date(Date.now() - 2 * abandonedAfterMs);
    for (const name of [leftovers.old, leftovers.busy]) {
      await mkdir(join(dir, name));
      await writeFile(join(dir, name, 'passages-222222222222.db-wal'), 'half');
      await utimes(join(dir, name), longAgo, longAgo);
    }
    for (const name of [leftovers.file, leftovers.pointer, leftovers.fresh]) await writeFile(join(dir, name), 'half');
    for (const name of [join(leftovers.old, 'passages-222222222222.db-wal'), leftovers.file, leftovers.pointer])
      await utimes(join(dir, name), longAgo, longAgo);

    await query(open(dir), 'granite');
    const present = await readdir(dir, { recursive: true });
    expect(Object.values(leftovers).filter((name) => present.includes(name))).toEqual([
      leftovers.busy,
      leftovers.fresh,
    ]);
  });
});
