import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createCollections } from '../../../knowledge/store/collections.ts';
import { createDocuments } from '../../../knowledge/store/documents.ts';
import { createEmbeddedIndex } from '../../../knowledge/search/embedded/embedded-index.ts';
import { createSearch } from '../../../knowledge/search/search.ts';
import type { Scope } from '../../../contract/references.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import { seededRandom } from '../../../cli/eval/seeded-random.ts';
import { createTestEnvironment, type TestEnvironment } from '../../support/environment/environment.ts';
import { pick } from '../../support/processes/killable-processes.ts';
import { putDocument } from '../../support/documents/put-document.ts';
import { createWordEmbedder } from '../../support/documents/word-embedder.ts';

const queries = Number(process.env.ALFRED_TEST_QUERIES ?? 2_000);
const seed = Number(process.env.ALFRED_TEST_SEED ?? Date.now() % 1_000_000);
/** Queries at the same time. Between two rounds, permissions, memberships or documents change. */
const atOnce = 25;

const tenants = ['acme', 'globex'];
const people = ['ann', 'bob', 'cy', 'dee'];
const groups = ['hr', 'board', 'dev'];
const words = ['granite', 'basalt', 'marble', 'quartz', 'topaz'];

type Known = Scope & { id: string; name: string; readers: string[]; text: string };

/** Replaces all group memberships of a subject. */
async function setGroups(db: Database, { tenant, subject }: Scope, memberships: string[]) {
  await db.deleteFrom('group_members').where('tenant', '=', tenant).where('subject', '=', subject).execute();
  if (memberships.length === 0) return;
  const rows = memberships.map((group_name) => ({ tenant, subject, group_name }));
  await db.insertInto('group_members').values(rows).execute();
}

let env: TestEnvironment;
beforeAll(async () => {
  env = await createTestEnvironment();
});
afterAll(() => env?.close());

test(`${queries} random queries, while permissions change: no one finds, counts or reads what they may not read`, async () => {
  console.log(`search permissions: ALFRED_TEST_SEED=${seed}`);
  const random = seededRandom(seed);
  const { db } = env.postgres;
  const embedder = createWordEmbedder();
  const index = createEmbeddedIndex({
    db,
    dir: join(env.config.ALFRED_DATA_DIR, 'index'),
    log: env.log,
    model: async () => embedder.model,
  });
  const search = createSearch({
    db,
    index,
    embeddings: { embedder: async () => embedder, close: async () => {} },
    log: env.log,
  });
  const documents = createDocuments(db);
  const memberships = new Map<string, string[]>();
  const known = new Map<string, Known>();
  const memberOf = ({ tenant, subject }: Scope) => memberships.get(`${tenant}/${subject}`) ?? [];
  const mayRead = (who: Scope, { tenant, subject, readers }: Known) =>
    who.tenant === tenant &&
    (who.subject === subject ||
      readers.some(
        (reader) =>
          reader === 'everyone' ||
          reader === `subject:${who.subject}` ||
          memberOf(who).some((group) => reader === `group:${group}`),
      ));
  const randomScope = (): Scope => ({ tenant: pick(random, tenants), subject: pick(random, people) });
  const someReaders = () =>
    pick(random, [
      [],
      ['everyone'],
      [`group:${pick(random, groups)}`],
      [`subject:${pick(random, people)}`],
      [`group:${pick(random, groups)}`, `subject:${pick(random, people)}`],
    ]);

  const put = async (owner: Scope, name: string) => {
    const text = `${pick(random, words)} ${pick(random, words)} of ${name.replace(/\W/g, '')}.`;
    const readers = someReaders();
    const { documentId } = await putDocument(db, name, text, { scope: owner, placement: { readers } });
    known.set(documentId, { ...owner, id: documentId, name, readers, text });
    const missing = await vectorsMissing();
    await embedder.store(db, missing);
  };
  const vectorsMissing = () => embedder.missing(db);
  const change = async (round: number) => {
    const document = known.size > 0 ? pick(random, [...known.values()]) : undefined;
    const what = random();
    if (!document || known.size < 40 || what < 0.3) return put(randomScope(), `file ${round}`);
    if (what < 0.6) {
      const who = randomScope();
      const now = groups.filter(() => random() < 0.4);
      await setGroups(db, who, now);
      memberships.set(`${who.tenant}/${who.subject}`, now);
    } else if (what < 0.85) return put(document, document.name);
    else {
      expect(await documents.delete(document, document.id)).toBe(true);
      known.delete(document.id);
    }
  };

  const collections = createCollections(db);
  /** Lists have exactly what may be read, and collections count exactly that. */
  const expectLists = async (who: Scope) => {
    const readable = [...known.values()].filter((document) => mayRead(who, document)).map(({ id }) => id);
    const listed = (await documents.list(who, { limit: 500 })).documents.map(({ id }) => id);
    expect(listed.toSorted()).toEqual(readable.toSorted());
    const counted = (await collections.list(who, { limit: 10 })).collections.map((one) => one.documents);
    expect(counted).toEqual(readable.length === 0 ? [] : [readable.length]);
  };

  let found = 0;
  for (let asked = 0; asked < queries; asked += atOnce) {
    await change(asked);
    await Promise.all(
      Array.from({ length: atOnce }, async () => {
        const who = randomScope();
        const word = pick(random, words);
        const limit = pick(random, [3, 50]);
        const { passages } = await search.search(who, { query: word, limit });
        const readable = [...known.values()].filter((document) => mayRead(who, document));
        const expected = readable.filter(({ text }) => text.includes(word)).map(({ id }) => id);
        const got = passages.map(({ documentId }) => documentId);
        expect(got.filter((id) => !readable.some((document) => document.id === id))).toEqual([]);
        // Unreadable documents take no place in the result.
        expect(expected.filter((id) => got.includes(id)).length).toBe(Math.min(limit, expected.length));
        for (const { text, documentId } of passages) expect(known.get(documentId)?.text).toBe(text);
        found += got.length;
        const stranger = pick(random, [...known.values()]);
        expect((await documents.get(who, stranger.id)) !== undefined).toBe(mayRead(who, stranger));
        expect((await documents.read(who, stranger.id))?.text).toBe(mayRead(who, stranger) ? stranger.text : undefined);
        await expectLists(who);
      }),
    );
  }
  expect(found).toBeGreaterThan(queries / 2);
  await search.close();
}, 300_000);
