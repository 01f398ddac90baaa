import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createDocuments } from '../../../knowledge/store/documents.ts';
import { createEmbeddedIndex } from '../../../knowledge/search/embedded/embedded-index.ts';
import { createSearch } from '../../../knowledge/search/search.ts';
import type { Embedder } from '../../../contract/ports/index.ts';
import type { SearchRequest } from '../../../contract/documents.ts';
import { createTestEnvironment, type TestEnvironment } from '../../support/environment/environment.ts';
import { local, putDocument } from '../../support/documents/put-document.ts';
import { createWordEmbedder } from '../../support/documents/word-embedder.ts';

let env: TestEnvironment;
let folder = 0;
const opened: { close(): Promise<void> }[] = [];
beforeAll(async () => {
  env = await createTestEnvironment();
});
beforeEach(async () => {
  await env.postgres.pool.query('truncate documents, chunks, embeddings, document_changes cascade');
});
afterEach(async () => void (await Promise.all(opened.splice(0).map((search) => search.close()))));
afterAll(() => env?.close());

/** A search whose embedder can be removed or replaced. */
function create(first: Embedder | undefined, dir = join(env.config.ALFRED_DATA_DIR, `hybrid-${++folder}`)) {
  let current = first;
  const index = createEmbeddedIndex({
    db: env.postgres.db,
    dir,
    log: env.log,
    model: async () => current?.model ?? '',
  });
  const embeddings = { embedder: async () => current, close: async () => {} };
  const search = createSearch({ db: env.postgres.db, index, embeddings, log: env.log });
  opened.push(search);
  return {
    dir,
    index,
    use: (embedder: Embedder | undefined) => {
      current = embedder;
    },
    search: (query: string, more: Partial<SearchRequest> = {}) => search.search(local, { query, limit: 10, ...more }),
  };
}
const put = (name: string, text: string, placement = {}) => putDocument(env.postgres.db, name, text, { placement });
const texts = ({ passages }: { passages: { text: string }[] }) => passages.map(({ text }) => text);

describe('a hybrid search', () => {
  test('puts the passage with the answering sentence before one that repeats the question’s words', async () => {
    const embedder = { ...createWordEmbedder(), evidence: { strong: 0.4, weak: 0.1, chance: 0.01, spread: 0.15 } };
    const { search } = create(embedder);
    const { db } = env.postgres;
    await put('about.txt', `Lunch. Lunch breaks. Lunch rooms. ${'Lunch is a matter of many opinions. '.repeat(12)}`);
    await put('rules.txt', `${'Desks are cleaned in the evening. '.repeat(12)}\n\nLunch breaks are unpaid breaks.`);
    const question = 'are lunch breaks unpaid';
    expect((await search(question)).passages[0]?.scores.sentence).toBeNull();
    await embedder.store(db, await embedder.missing(db));
    const { passages, evidence, indexVersion } = await search(question);
    expect(passages.map(({ document, scores }) => [document, scores.sentence?.rank])).toEqual([
      ['rules.txt', 1],
      ['about.txt', 2],
    ]);
    expect(evidence).toBe('strong');
    expect(indexVersion).toContain('/sentences60');
    const [best] = passages;
    const [highlight] = best?.highlights ?? [];
    expect(best?.text.slice((highlight?.start ?? 0) - best.start, (highlight?.end ?? 0) - best.start)).toBe(
      'Lunch breaks are unpaid breaks.',
    );
    await put('new.txt', 'Lunch breaks of apprentices are paid.');
    const withNew = await search(question);
    expect(withNew.passages.find(({ document }) => document === 'new.txt')?.scores.sentence).toBeNull();
  });

  test('finds by words at once, and by meaning as soon as there are vectors', async () => {
    const embedder = createWordEmbedder();
    const { search } = create(embedder);
    await put('leave.txt', 'Parental leave lasts sixteen weeks.');
    await put('dogs.txt', 'Dogs may come on Fridays.');
    const before = await search('parental leave');
    expect(before).toMatchObject({ mode: 'lexical', passages: [{ scores: { dense: null, lexical: { rank: 1 } } }] });
    await embedder.store(env.postgres.db, await embedder.missing(env.postgres.db));
    const after = await search('parental leave');
    expect(after.mode).toBe('hybrid');
    expect(after.indexVersion).toContain(embedder.model);
    expect(after.passages[0]).toMatchObject({
      text: 'Parental leave lasts sixteen weeks.',
      scores: { lexical: { rank: 1 }, dense: { rank: 1 }, fused: { rank: 1 } },
    });
    // A passage without a word of the question is found by its vector.
    expect((await search('weeks')).passages.map(({ scores }) => scores.lexical)).toContain(null);
  });

  test('embeds a text that two documents share once, and deletes its vector with the last of them', async () => {
    const embedder = createWordEmbedder();
    const { db } = env.postgres;
    const first = await put('one.txt', 'Said twice.');
    await put('two.txt', 'Said twice.');
    await embedder.store(db, await embedder.missing(db));
    expect(embedder.embedded()).toBe(1);
    const documents = createDocuments(db);
    const vectors = async () => (await db.selectFrom('embeddings').select('hash').execute()).length;
    await documents.delete(local, first.documentId);
    expect(await vectors()).toBe(1);
    await put('two.txt', 'Said otherwise.');
    expect(await vectors()).toBe(0);
  });

  test('one changed paragraph of a hundred is one text to embed, and the other rows stay', async () => {
    const embedder = createWordEmbedder();
    const { db } = env.postgres;
    const paragraphs = Array.from(
      { length: 100 },
      (_, i) => `# Part ${i}\n\nParagraph ${i} speaks of ${'stone '.repeat(40)}.`,
    );
    const { documentId } = await put('long.md', paragraphs.join('\n\n'));
    await embedder.store(db, await embedder.missing(db));
    const ids = async () =>
      (await db.selectFrom('chunks').select('id').where('document_id', '=', documentId).execute()).map(({ id }) => id);
    const before = await ids();
    paragraphs[50] = '# Part 50\n\nAnother paragraph altogether.';
    await put('long.md', paragraphs.join('\n\n'));
    expect(await embedder.missing(db)).toHaveLength(1);
    const after = await ids();
    expect(after.filter((id) => !before.includes(id))).toHaveLength(1);
    // The same content again changes nothing.
    await put('long.md', paragraphs.join('\n\n'));
    expect(await ids()).toEqual(after);
  });

  test('searches by words while there is no model, and exchanges the vectors for those of another model', async () => {
    const [old, other] = [createWordEmbedder('words@1'), createWordEmbedder('words@2')];
    const { search, use } = create(old);
    const { db } = env.postgres;
    await put('leave.txt', 'Parental leave lasts sixteen weeks.');
    await old.store(db, await old.missing(db));
    expect((await search('parental')).mode).toBe('hybrid');
    use(undefined);
    expect(await search('parental')).toMatchObject({ mode: 'lexical', passages: [{ document: 'leave.txt' }] });
    use({ ...old, embedQuery: () => Promise.reject(new Error('broken')) });
    expect(await search('leave')).toMatchObject({ mode: 'lexical', passages: [{ document: 'leave.txt' }] });
    use(other);
    expect((await search('parental')).mode).toBe('lexical');
    await other.store(db, await other.missing(db));
    expect(await search('parental')).toMatchObject({
      mode: 'hybrid',
      indexVersion: expect.stringContaining('words@2'),
    });
  });

  test('filters by collection, tag, language and time inside the query', async () => {
    const embedder = createWordEmbedder();
    const { search } = create(embedder);
    for (let i = 0; i < 30; i++) await put(`noise-${i}.txt`, `Leave of kind ${i}.`);
    await put('hr.txt', 'Leave of absence.', { collection: 'hr', tags: ['policy', 'leave'] });
    await embedder.store(env.postgres.db, await embedder.missing(env.postgres.db));
    await env.postgres.pool.query(`update documents set language = 'de' where name = 'noise-3.txt'`);
    await put('noise-3.txt', 'Leave of kind drei.');
    expect(texts(await search('leave', { limit: 3, collections: ['hr'] }))).toEqual(['Leave of absence.']);
    expect(texts(await search('leave', { limit: 3, tags: ['policy'] }))).toEqual(['Leave of absence.']);
    expect(texts(await search('leave', { tags: ['policy', 'other'] }))).toEqual([]);
    expect(texts(await search('leave', { collections: ['none'] }))).toEqual([]);
    const now = new Date().toISOString();
    expect(texts(await search('leave', { updatedFrom: '2100-01-01T00:00:00Z' }))).toEqual([]);
    expect((await search('leave', { updatedTo: now, limit: 50 })).passages.length).toBe(31);
  });

  test('shows neighbours as one passage, word for word, in the place of the better one', async () => {
    const { search } = create(undefined);
    const text = '# Granite\n\nGranite is hard.\n\nGranite is old, and was granite before.\n\n# Basalt\n\nNo granite.';
    const { documentId } = await put('stones.md', text);
    const { passages } = await search('granite');
    expect(texts({ passages })).toEqual(['Granite is hard.\n\nGranite is old, and was granite before.', 'No granite.']);
    const stored = await createDocuments(env.postgres.db).read(local, documentId);
    for (const passage of passages) expect(stored?.text.slice(passage.start, passage.end)).toBe(passage.text);
  });

  test('shows the same text of two documents once', async () => {
    const { search } = create(undefined);
    const text = 'Every purchase above ten thousand euros needs the signatures of two members of the board.';
    await put('rules.txt', text);
    await put('copy-of-rules.txt', `${text} Always.`);
    await put('other.txt', 'Every purchase needs a receipt.');
    expect((await search('purchase')).passages).toHaveLength(2);
  });
});

describe('a search says what it searched instead:', () => {
  test('a word of the documents for a misspelt one, and judges by it', async () => {
    const { search } = create(undefined);
    await put('security.txt', 'Security\n\nThe recommended password length is 14 letters.');
    expect(await search('recomended pasword lenght')).toMatchObject({
      corrections: [
        { from: 'recomended', to: 'recommended' },
        { from: 'pasword', to: 'password' },
        { from: 'lenght', to: 'length' },
      ],
      evidence: 'strong',
      passages: [{ coverage: 1 }],
    });
    expect(await search('password length')).not.toHaveProperty('corrections');
  });

  test('a word that only unreadable passages hold as for a word that none holds', async () => {
    const { search } = create(undefined);
    await put('open.txt', 'The museum has a vacation policy and a résumé.');
    const before = [await search('the vacatoin'), await search('resumé'), await search('resumes')];
    await putDocument(env.postgres.db, 'secret.txt', 'The vacatoin is over. Vacations and resumes.', {
      scope: { ...local, subject: 'another' },
      placement: { readers: [] },
    });
    const after = [await search('the vacatoin'), await search('resumé'), await search('resumes')];
    const shown = (results: typeof before) =>
      results.map(({ corrections, passages }) => [corrections, texts({ passages })]);
    expect(shown(after)).toEqual(shown(before));
    expect(after[0]?.corrections).toEqual([{ from: 'vacatoin', to: 'vacation' }]);
    expect(after[0]?.passages[0]?.coverage).toBe(1);
    // Also where the request leaves the word out that the reader could find elsewhere.
    expect(await search('museum', { tags: ['none'] })).not.toHaveProperty('corrections');
  });

  test('a code that no passage holds: what is near in every other word is no answer', async () => {
    const { search } = create(undefined);
    await put('notices.txt', 'Notices\n\nNotice PPR-9087: close the valve and report the reading of the valve.');
    const question = (code: string) => `What does notice ${code} say about the reading of the valve?`;
    expect(await search(question('PPR-9087'))).toMatchObject({ evidence: 'strong', passages: [{ match: 'close' }] });
    expect(await search(question('PPR-9999'))).toMatchObject({
      evidence: 'weak',
      answerable: false,
      evidenceReason: expect.stringContaining('no passage holds PPR-9999') as unknown,
      unknownCodes: ['PPR-9999'],
      passages: [{ match: 'loose' }],
    });
  });

  test('the question in a long text', async () => {
    const { search } = create(undefined);
    await put('travel.txt', 'Travel\n\nClaim expenses without a receipt by a written statement.');
    await put('hotel.txt', 'Hotels\n\nThe airline pays the hotel near the airport when a flight is late.');
    const story = 'The flight was late and the airline paid a hotel near the airport. '.repeat(12);
    const found = await search(`${story}How do I claim expenses without a receipt?`);
    expect(found.question).toBe('How do I claim expenses without a receipt?');
    expect(texts(found)).toEqual(['Claim expenses without a receipt by a written statement.']);
  });
});
