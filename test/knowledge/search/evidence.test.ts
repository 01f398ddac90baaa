import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { quoteAround, selectQuote, sentencesOf } from '../../../contract/rules/quote.ts';
import { createSearch } from '../../../knowledge/search/search.ts';
import { judgeByMeaning } from '../../../knowledge/search/evidence/judge-evidence.ts';
import { createPolicyEnvironment } from '../../support/documents/policy-environment.ts';
import { createWordEmbedder } from '../../support/documents/word-embedder.ts';
import { local } from '../../support/documents/put-document.ts';

describe('a search in the example policies', () => {
  let env: Awaited<ReturnType<typeof createPolicyEnvironment>>;
  beforeAll(async () => {
    env = await createPolicyEnvironment();
  }, 60_000);
  afterAll(() => env?.close());

  test.each(['money for a desk at home', 'hotel limit paris', 'How is the weather on Mars?', 'first class trains'])(
    '“%s” gets the same verdict with every limit',
    async (query) => {
      const verdicts = new Set<string>();
      for (const limit of [1, 3, 6, 10, 20, 50]) {
        const { evidence, evidenceReason, answerable } = await env.adapters.index.search(local, { query, limit });
        verdicts.add(JSON.stringify([evidence, evidenceReason, answerable]));
      }
      expect([...verdicts]).toHaveLength(1);
    },
  );

  test('highlights are sentences of the document, the row that was asked for before other rows', async () => {
    const { passages } = await env.adapters.index.search(local, { query: 'hotel limit Paris', limit: 3 });
    for (const { documentId, highlights, start, end } of passages) {
      const stored = await env.adapters.documents.read(local, documentId);
      for (const highlight of highlights) {
        expect(highlight.start).toBeGreaterThanOrEqual(start);
        expect(highlight.end).toBeLessThanOrEqual(end);
        expect(stored?.text.slice(highlight.start, highlight.end).trim()).not.toBe('');
      }
    }
    const hotels = passages.find(({ headingPath }) => headingPath.includes('Hotels'));
    const stored = hotels && (await env.adapters.documents.read(local, hotels.documentId));
    const best = hotels?.highlights[0];
    expect(stored?.text.slice(best?.start, best?.end)).toBe(
      'City group: B; Cities: Amsterdam, Munich, Oslo, Paris, Tokyo; Limit a night: 190 EUR',
    );
  });

  test('without a model, and with one whose thresholds are not known, the reason says that words were judged', async () => {
    const request = { query: 'hotel limit Paris', limit: 3 };
    expect((await env.adapters.index.search(local, request)).evidenceReason).toMatch(
      /^Judged by words alone, because there is no embedding model: /,
    );
    const words = createWordEmbedder();
    await words.store(env.postgres.db, await words.missing(env.postgres.db));
    const { createEmbeddedIndex } = await import('../../../knowledge/search/embedded/embedded-index.ts');
    const { db } = env.postgres;
    const { log, config } = env;
    const index = createEmbeddedIndex({
      db,
      dir: `${config.ALFRED_DATA_DIR}/words`,
      log,
      model: async () => words.model,
    });
    const embeddings = (embedder: typeof words) => ({ embedder: async () => embedder, close: async () => {} });
    const uncalibrated = createSearch({ db, index, embeddings: embeddings(words), log });
    expect((await uncalibrated.search(local, request)).evidenceReason).toContain(
      'because it is not known how near is near for words@1',
    );
    const calibrated = { ...words, evidence: { strong: 0.3, weak: 0.1, chance: 0.02, spread: 0.2 } };
    const search = createSearch({ db, index, embeddings: embeddings(calibrated), log });
    const result = await search.search(local, request);
    expect(result).toMatchObject({ mode: 'hybrid', evidence: 'strong', answerable: true });
    expect(result.evidenceReason).toMatch(/^The nearest sentence has a similarity of 0\.\d\d among 5\d passages/);
    await search.close();
  });
});

test('among more passages the same similarity is weaker evidence', () => {
  const thresholds = { strong: 0.4, weak: 0.1, chance: 0.02, spread: 0.2 };
  expect(judgeByMeaning(0.5, 50, thresholds).evidence).toBe('strong');
  expect(judgeByMeaning(0.5, 5_000, thresholds).evidence).toBe('weak');
  expect(judgeByMeaning(0.1, 50, thresholds).evidence).toBe('none');
});

describe('sentences of a passage', () => {
  const texts = (passage: string) => sentencesOf(passage).map(({ start, end }) => passage.slice(start, end));

  test('each row and each list item is one, wrapped prose is joined, a marker stays with its item', () => {
    expect(texts('Limits are\nfixed. See below.\n\nCity: Oslo; Limit: 190 EUR\nCity: Rome; Limit: 140 EUR')).toEqual([
      'Limits are\nfixed.',
      'See below.',
      'City: Oslo; Limit: 190 EUR',
      'City: Rome; Limit: 140 EUR',
    ]);
    expect(texts('1. Take the train. Always.\n2. Fly rarely.\n- Or walk')).toEqual([
      '1. Take the train. Always.',
      '2. Fly rarely.',
      '- Or walk',
    ]);
    expect(texts('Item: Laptop\nItem: Phone')).toEqual(['Item: Laptop', 'Item: Phone']);
  });

  test('a quotation that is too long ends between two words', () => {
    const row = `Category: Meals; Rules: ${'receipts '.repeat(80)}; Limit: 70 EUR`;
    const { start, end } = selectQuote(row, 'meals');
    expect(end - start).toBeLessThanOrEqual(400);
    expect(row.slice(start, end)).toMatch(/receipts$/);
  });

  test('a quotation that begins with a name like .NET keeps its dot', () => {
    const text = `${'We like a long list of tools and languages here. '.repeat(9)}Choose C#, .NET Core or Java with Spring.`;
    const { start, end } = quoteAround(text, text.indexOf('NET'));
    expect(text.slice(start, end)).toMatch(/\.NET Core or Java with Spring\.$/);
    expect(text.slice(start, end)).not.toMatch(/^NET/);
  });
});
