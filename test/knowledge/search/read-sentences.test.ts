import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Reranker } from '../../../contract/ports/index.ts';
import { createEmbeddedIndex } from '../../../knowledge/search/embedded/embedded-index.ts';
import { readsPassage, readsQuery } from '../../../knowledge/search/rerank/readable-languages.ts';
import { createSearch } from '../../../knowledge/search/search.ts';
import { createTestEnvironment, type TestEnvironment } from '../../support/environment/environment.ts';
import { local, putDocument } from '../../support/documents/put-document.ts';
import { createWordEmbedder } from '../../support/documents/word-embedder.ts';

const answer = 'Quarry workers get 30 free days.';
const documents = {
  'near.txt': 'Free days of quarry workers are many. Ask the office about free days.',
  'answer.txt': `Quarry workers wear helmets. ${answer} Boots are paid.`,
  'far.txt': 'Quarry workers eat at noon. Soup is free.',
};
const query = 'free days of quarry workers';

let env: TestEnvironment;
let folder = 0;
const opened: { close(): Promise<void> }[] = [];
beforeAll(async () => {
  env = await createTestEnvironment();
});
beforeEach(async () => {
  await env.postgres.pool.query('truncate documents, chunks, embeddings, document_changes cascade');
  for (const [name, text] of Object.entries(documents)) await putDocument(env.postgres.db, name, text);
});
afterEach(async () => void (await Promise.all(opened.splice(0).map((search) => search.close()))));
afterAll(() => env?.close());

/** A search with vectors of sentences and a reranker that reads sentences and knows the answer. */
async function create(reranker?: Partial<Reranker>) {
  const { db } = env.postgres;
  const embedder = { ...createWordEmbedder(), evidence: { strong: 0.4, weak: 0.1, chance: 0.01, spread: 0.15 } };
  await embedder.store(db, await embedder.missing(db));
  const dir = join(env.config.ALFRED_DATA_DIR, `sentences-${++folder}`);
  const index = createEmbeddedIndex({ db, dir, log: env.log, model: async () => embedder.model });
  const embeddings = { embedder: async () => embedder, close: async () => {} };
  const read: string[][] = [];
  const toy: Reranker = {
    model: 'toy',
    candidates: 12,
    sentences: 4,
    timeoutMs: 60_000,
    evidence: { strong: 2, weak: 2 },
    languages: ['en'],
    scores: async (_, texts) => {
      read.push(texts);
      return texts.map((text) => (text.includes(answer) ? 0.999 : 0));
    },
    ...reranker,
  };
  const search = createSearch({ db, index, embeddings, log: env.log, ...(reranker && { reranker: toy }) });
  opened.push(search);
  return { read, search: (text = query) => search.search(local, { query: text, limit: 10 }) };
}

describe('a reranker that reads sentences', () => {
  test('reads the nearest ones, with their headings or the title, and they order passages and highlights; the evidence of a model without `surroundings` stays', async () => {
    const before = await (await create()).search();
    expect(before.passages[0]?.document).toBe('near.txt');
    const { search, read } = await create({});
    const { passages, evidence, evidenceReason, indexVersion } = await search();
    expect(passages.map(({ document, scores }) => [document, scores.rerank?.rank])).toEqual([
      ['answer.txt', 1],
      ['near.txt', 2],
      ['far.txt', 3],
    ]);
    const [first] = passages;
    const highlight = first?.highlights[0];
    expect(first?.text.slice((highlight?.start ?? 0) - first.start, (highlight?.end ?? 0) - first.start)).toBe(answer);
    // Its sentence is the best of all passages, and the offline provider quotes it first.
    const others = passages.slice(1).flatMap(({ highlights }) => highlights.map(({ score }) => score));
    expect(highlight?.score).toBeGreaterThan(Math.max(...others));
    expect(read).toHaveLength(1);
    expect(read[0]).toHaveLength(4);
    expect(read[0]).toContain(`${documents['answer.txt']}\n${answer}`);
    expect(indexVersion).toMatch(/\/sentences60\/rerank12x4:toy$/);
    expect([evidence, evidenceReason]).toEqual([before.evidence, before.evidenceReason]);
  });

  test('leaves the search as it is when the question or a passage is in a language that it does not read', async () => {
    const german = 'Wie viele free days haben quarry workers?';
    const before = await (await create()).search(german);
    const { search, read } = await create({});
    expect(await search(german)).toEqual(before);
    await env.postgres.pool.query("update documents set language = 'de' where name = 'far.txt'");
    expect((await search()).passages[0]?.document).toBe('near.txt');
    expect(read).toEqual([]);
    const anyLanguage = await create({ languages: undefined });
    expect((await anyLanguage.search(german)).passages[0]?.document).toBe('answer.txt');
  });

  test('leaves the search as it is when it fails', async () => {
    const before = await (await create()).search();
    const { search } = await create({ scores: () => Promise.reject(new Error('broken')) });
    expect(await search()).toEqual(before);
  });

  test('reads whole passages while their sentences have no vectors', async () => {
    const { search, read } = await create({});
    await env.postgres.pool.query('update embeddings set sentences = null');
    await search();
    expect(read[0]?.toSorted()).toEqual(Object.values(documents).toSorted());
  });
});

test('key words and texts of unknown language count as English when their letters are Latin', () => {
  const english = ['en'];
  for (const query of ['how many days of leave', 'hotel limit paris', 'PPR-9087', 'µ-meter calibration'])
    expect([query, readsQuery(english, query)]).toEqual([query, true]);
  for (const query of [
    'Wie viele Tage Urlaub habe ich?',
    'combien de jours de congés',
    '有给休暇は何日',
    'كم يوم إجازة',
  ])
    expect([query, readsQuery(english, query), readsQuery(undefined, query)]).toEqual([query, false, true]);
  expect(readsPassage(english, { language: 'fr', text: 'Paris' })).toBe(false);
  expect(readsPassage(english, { language: null, text: 'Name: Berlin; Limit: 140 EUR' })).toBe(true);
  expect(readsPassage(english, { language: null, text: '東京: 190' })).toBe(false);
});
