import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { EvidenceThresholds } from '../../../contract/ports/index.ts';
import { quoteAround, selectQuote, sentencesOf } from '../../../contract/rules/quote.ts';
import { createSearch } from '../../../knowledge/search/search.ts';
import type { ScoredPassage } from '../../../knowledge/search/best-passages.ts';
import { judgePassages } from '../../../knowledge/search/evidence/evidence.ts';
import { judgeCodes } from '../../../knowledge/search/evidence/judge-codes.ts';
import { judgeByMeaning, type Nearness } from '../../../knowledge/search/evidence/judge-evidence.ts';
import { neutralGain, type SentenceGains } from '../../../knowledge/search/rerank/read-sentences.ts';
import { coverageOf, weighWords } from '../../../knowledge/search/evidence/word-weights.ts';
import type { CandidateRating, SentenceNearness } from '../../../knowledge/search/sentences/rate-candidates.ts';
import { createPolicyEnvironment } from '../../support/documents/policy-environment.ts';
import { createWordEmbedder } from '../../support/documents/word-embedder.ts';
import { local } from '../../support/documents/put-document.ts';

describe('a search in the example policies', () => {
  let env: Awaited<ReturnType<typeof createPolicyEnvironment>>;
  beforeAll(async () => {
    env = await createPolicyEnvironment();
  });
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

describe('the verdict by vectors', () => {
  const alone = { strong: 0.4, weak: 0.1, chance: 0.02, spread: 0.2 };
  const around = { ...alone, chance: 0.05, surroundings: 0.75 };
  const near = { cosine: 0.5, best: 0.5, around: 0.4, searched: 60, passages: 60 };
  const verdict = (change: Partial<Nearness>, thresholds: EvidenceThresholds) =>
    judgeByMeaning({ ...near, ...change }, thresholds).evidence;

  test('of a model without `surroundings` goes by its nearest sentence, less among more passages of the tenant', () => {
    expect(verdict({ around: 0, best: 0 }, alone)).toBe('strong');
    expect(verdict({ passages: 5_000 }, alone)).toBe('weak');
    expect(verdict({ cosine: 0.1 }, alone)).toBe('none');
  });

  test('is weaker for a sentence that is near alone than for one among others', () => {
    expect(verdict({}, around)).toBe('strong');
    expect(verdict({ around: 0.3 }, around)).toBe('weak');
    expect(verdict({ best: 0.45, around: -0.1 }, around)).toBe('none');
    expect(judgeByMeaning(near, around).evidenceReason).toMatch(
      /^The nearest sentence has a similarity of 0\.50, the passages around it have 0\.40 on average, among 60 passages, which usually/,
    );
  });

  test('is weaker among more passages that were searched, whatever else the tenant has', () => {
    expect(verdict({ searched: 1 }, around)).toBe('strong');
    expect(verdict({ passages: 100_000 }, around)).toBe('strong');
    expect(verdict({ searched: 5_000 }, around)).toBe('weak');
  });
});

describe('a passage that joins two chunks', () => {
  const text = 'Lunch is a break. Breaks are short.\n\nPayroll counts unpaid lunch breaks daily.';
  const second = text.indexOf('Payroll');
  const scores = { lexical: null, dense: null, sentence: null, rerank: null, fused: { rank: 1, score: 1 } };
  const passage: ScoredPassage = {
    chunkId: 'd.1+1',
    documentId: 'd',
    document: 'd.txt',
    title: 'Rules',
    headingPath: [],
    page: null,
    contentHash: 'h',
    version: 1,
    text,
    start: 100,
    end: 100 + text.length,
    score: 1,
    scores,
    language: 'en',
  };
  const words = weighWords('unpaid payroll breaks', { passages: 3, languages: ['en'], holders: [] });
  const embedder = { ...createWordEmbedder(), evidence: { strong: 0.4, weak: 0.1, chance: 0.02, spread: 0.2 } };
  const rating = (from: number, to: number, sentences: SentenceNearness[]) => ({
    documentId: 'd',
    start: 100 + from,
    end: 100 + to,
    coverage: 0,
    score: 0,
    sentences,
  });
  const judge = (ratings: [string, CandidateRating][]) =>
    judgePassages({
      judged: [passage],
      shown: [passage],
      words,
      ratings: new Map(ratings),
      passages: 3,
      searched: 3,
      embedder,
    });

  test('is judged by words where only one of them was rated, and its sentences are found', () => {
    const first = rating(0, second - 2, [
      { start: 100, nearness: 0.01 },
      { start: 118, nearness: 0.03 },
    ]);
    const found = judge([['d.1', first]]);
    expect(found).toMatchObject({ evidence: 'strong', passages: [{ match: 'close', coverage: 1 }] });
    expect(found.evidenceReason).toMatch(/^Judged by words alone/);
    expect(found.passages[0]?.highlights[0]?.start).toBe(100 + second);
    expect(found.passages[0]).not.toHaveProperty('language');
    const both = judge([
      ['d.1', first],
      ['d.2', rating(second, text.length, [{ start: 100 + second, nearness: 0.02 }])],
    ]);
    expect(both).toMatchObject({ evidence: 'none', passages: [{ match: 'loose' }] });
  });

  test('is better or worse evidence by what a reranker has read in it, where the surroundings count', () => {
    const thresholds = { strong: 0.55, weak: 0.4, chance: 0.02, spread: 0.2, surroundings: 0.5 };
    const rated = rating(0, text.length, [{ start: 100, nearness: 0.5 }]);
    const verdict = (gains?: SentenceGains) => {
      const { evidence, passages } = judgePassages({
        judged: [passage],
        shown: [passage],
        words: [],
        ratings: new Map([['d.1', rated]]),
        passages: 3,
        searched: 3,
        embedder: { ...embedder, evidence: thresholds },
        gains,
      });
      return [evidence, passages[0]?.match];
    };
    const neutral = neutralGain(thresholds);
    expect(verdict()).toEqual(['weak', 'loose']);
    expect(verdict(new Map([['d 100', neutral]]))).toEqual(['weak', 'loose']);
    expect(verdict(new Map([['d 100', neutral + 0.2]]))).toEqual(['strong', 'close']);
    // It has read other passages and not this one.
    expect(verdict(new Map([['e 100', neutral + 0.2]]))).toEqual(['none', 'loose']);
  });

  test('holds the code of one of them, also when another code is unknown', () => {
    const [shown] = judge([]).passages;
    if (!shown) throw new Error('one passage is shown');
    const judged = {
      passages: [{ ...shown, text: `${text} See PPR-9087/PPR-9088.` }],
      evidence: 'strong' as const,
      evidenceReason: 'Near.',
    };
    const codes = (code: string) => [
      { code, holders: ['d.2'] },
      { code: 'PPR-9999', holders: [] },
    ];
    expect(judgeCodes(judged, codes('PPR-9088'))).toMatchObject({
      unknownCodes: ['PPR-9999'],
      passages: [{ match: 'close' }],
    });
    expect(judgeCodes(judged, codes('PPR-7777')).passages[0]?.match).toBe('loose');
  });
});

test('a corrected word is weighed in its own place only', () => {
  const corpus = {
    passages: 10,
    languages: ['en'],
    holders: [
      ['art', 1],
      ['parti', 1],
    ] as [string, number][],
  };
  const terms = (query: string, to: string) =>
    weighWords(query, corpus, [{ from: 'rat', to }]).map((word) => word.terms);
  expect(terms('rather a rat', 'art')).toEqual([['rather'], ['art']]);
  expect(terms('party rat', 'party')).toEqual([['parti']]);
});

test('a whole that no passage holds, like “top-10”, does not weigh: its parts do', () => {
  const corpus = {
    passages: 10,
    languages: ['en'],
    holders: [
      ['top', 1],
      ['10', 1],
    ] as [string, number][],
  };
  const words = weighWords('top-10', corpus);
  expect(coverageOf(words, 'The top 10 customers', 'en')).toBe(1);
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

  const quoted = (passage: string, sentence: string, longest: number) => {
    const { start, end } = quoteAround(passage, passage.indexOf(sentence), longest);
    return passage.slice(start, end);
  };

  test('a heading is not the end of a quotation, and stands before what it announces or not at all', () => {
    const text = 'Leave takes two weeks.\n\nSick days\n\nCall before nine. Then send a note to your lead.\n\nTravel';
    expect(quoted(text, 'Leave', 40)).toBe('Leave takes two weeks.');
    expect(quoted(text, 'Sick', 100)).toMatch(/^Leave .*\n\nSick days\n\nCall .* your lead\.$/s);
    expect(quoted(text, 'Sick', 30)).toBe('Sick days\n\nCall before nine.');
    expect(quoted(text, 'Sick', 20)).toBe('Call before nine.');
    expect(quoted('Ask the desk. Bring these:\n- a map\n- a list', 'Ask', 30)).toBe('Ask the desk.');
  });

  test('a quotation does not end inside an address', () => {
    const address = 'https://wiki.example/search?q=rules';
    expect(quoted(`Read ${address} first. Ask then.`, 'Read', 55)).toBe(`Read ${address} first.`);
    expect(quoted(`Read ${address} first. Ask then.`, 'q=rules', 50)).toBe(`Read ${address} first.`);
  });

  test('a quotation that begins with a name like .NET keeps its dot', () => {
    const text = `${'We like a long list of tools and languages here. '.repeat(9)}Choose C#, .NET Core or Java with Spring.`;
    const { start, end } = quoteAround(text, text.indexOf('NET'));
    expect(text.slice(start, end)).toMatch(/\.NET Core or Java with Spring\.$/);
    expect(text.slice(start, end)).not.toMatch(/^NET/);
  });
});
