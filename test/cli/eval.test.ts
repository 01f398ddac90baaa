import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createAdapters } from '../../wiring/adapters.ts';
import { compareAnswers, scoreAnswers } from '../../cli/eval/answer-scores.ts';
import type { EvaluatedAnswer } from '../../cli/eval/answers.ts';
import { readAnswers } from '../../cli/eval/read-answers.ts';
import { wilson } from '../../cli/eval/measures.ts';
import { readQuestions } from '../../cli/eval/questions.ts';
import { readCorpus } from '../../cli/eval/beir.ts';
import { evaluateRetrieval, removeCorpus } from '../../cli/eval/retrieval.ts';
import { createTestEnvironment } from '../support/environment/environment.ts';
import { startFakeQdrant } from '../support/fakes/fake-qdrant.ts';
import { createFakeReranker } from '../support/fakes/fake-reranker.ts';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'alfred-eval-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

const lines = (rows: unknown[]) => rows.map((row) => JSON.stringify(row)).join('\n');
async function corpus(name: string, { queries = lines([{ _id: 'q1', text: 'granite' }]), qrels = 'q1\td1\t1' } = {}) {
  const folder = join(dir, name);
  await mkdir(join(folder, 'qrels'), { recursive: true });
  const documents = ['Granite is hard.', 'Basalt is dark.', 'Marble is soft.', ''].map((text, i) => ({
    _id: `d${i + 1}`,
    title: `Stone ${i + 1}`,
    text,
  }));
  await writeFile(join(folder, 'corpus.jsonl'), lines(documents));
  await writeFile(join(folder, 'queries.jsonl'), queries);
  await writeFile(join(folder, 'qrels', 'test.tsv'), `query-id\tcorpus-id\tscore\n${qrels}\n`);
  return folder;
}

describe('alfred eval retrieval', () => {
  test('stores a collection once, measures it, and removes it', async () => {
    const env = await createTestEnvironment({ ALFRED_EMBEDDINGS: 'none' });
    const adapters = createAdapters(env);
    try {
      const folder = await corpus('stones', {
        queries: lines([
          { _id: 'q1', text: 'granite' },
          { _id: 'q2', text: 'marble' },
          { _id: 'q3', text: 'not judged' },
        ]),
        qrels: 'q1\td1\t2\nq2\td2\t1\nq2\td3\t0',
      });
      const run = async () =>
        evaluateRetrieval(adapters, await readCorpus(folder), { dir: folder, onProgress: () => {} });
      const first = await run();
      expect(first).toMatchObject({ documents: 4, passages: 3, queries: 2, model: null });
      expect(first.quality.lexical).toMatchObject({ ndcg10: { mean: 0.5 }, mrr: { mean: 0.5 } });
      expect(Object.keys(first.quality)).toEqual(['lexical', 'dense', 'fused']);
      expect((await run()).quality).toEqual(first.quality);
      expect(await removeCorpus(adapters, folder)).toBe(3);
      expect(await adapters.documents.listTenants()).toEqual([]);
    } finally {
      await adapters.close();
      await env.close();
    }
  });

  test('with a reranker the report has a row for it, and a failure of the reranker ends the evaluation', async () => {
    const server = await createFakeReranker((text) => (text.includes('Basalt') ? 2 : 1));
    const env = await createTestEnvironment({ ALFRED_EMBEDDINGS: 'none', ...server.variables });
    const adapters = createAdapters(env);
    try {
      const folder = await corpus('reranked', { queries: lines([{ _id: 'q1', text: 'stone' }]), qrels: 'q1\td2\t1' });
      const stones = await readCorpus(folder);
      const run = () => evaluateRetrieval(adapters, stones, { dir: folder, onProgress: () => {} });
      const report = await run();
      expect(report).toMatchObject({ reranker: 'rerank-test, 32 passages', rerankMs: { p50: expect.any(Number) } });
      expect(report.quality.reranked?.ndcg10.mean).toBe(1);
      expect(report.quality.fused?.ndcg10.mean).toBeLessThan(1);
      server.answerWith(() => ({ status: 503, json: {} }));
      await expect(run()).rejects.toThrow('answered 503');
    } finally {
      await adapters.close();
      await env.close();
      await server.close();
    }
  });

  test('fails before it stores anything when Qdrant refuses the key', async () => {
    const qdrant = await startFakeQdrant({ key: 'sesame' });
    const env = await createTestEnvironment({ ALFRED_EMBEDDINGS: 'none', QDRANT_URL: qdrant.url });
    const adapters = createAdapters(env);
    try {
      const folder = await corpus('refused');
      const run = evaluateRetrieval(adapters, await readCorpus(folder), { dir: folder, onProgress: () => {} });
      await expect(run).rejects.toThrow('put its API key into VECTOR_DB_KEY');
      expect(await adapters.documents.listTenants()).toEqual([]);
    } finally {
      await adapters.close();
      await env.close();
      await qdrant.close();
    }
  });

  test.each([
    ['a missing folder', async () => join(dir, 'nowhere'), /corpus\.jsonl cannot be read \(ENOENT\)/],
    ['a line that is not JSON', () => corpus('broken', { queries: '{"_id": "q1", ' }), /queries\.jsonl, line 1/],
    ['a judgement without a grade', () => corpus('ungraded', { qrels: 'q1 d1 1' }), /test\.tsv, line 2/],
    ['no judged questions', () => corpus('unjudged', { qrels: '' }), /0 judged questions/],
  ])('reports what is wrong with %s', async (_, folder, message) => {
    await expect(folder().then(readCorpus)).rejects.toThrow(message);
  });
});

describe('alfred eval answers', () => {
  test.each([
    ['no JSON', 'no', /is not JSON/],
    ['no questions', '{"questions": []}', /is no set of questions/],
    ['a question without a document', '{"questions": [{"question": "What?", "fact": null}]}', /document/],
  ])('reports what is wrong with a set of %s', async (name, content, message) => {
    const file = join(dir, `${name.replaceAll(' ', '-')}.json`);
    await writeFile(file, content);
    await expect(readQuestions(file)).rejects.toThrow(message);
  });

  test('reads questions with groups, only those of one corpus when it is named', async () => {
    const file = join(dir, 'groups.json');
    const question = {
      id: 'q1',
      corpus: 'a',
      group: 'answerable',
      question: 'What?',
      documents: ['a.md'],
      facts: ['1'],
    };
    await writeFile(file, JSON.stringify([question, { group: 'off_topic', corpus: 'b', question: 'Why?' }]));
    expect(await readQuestions(file)).toMatchObject([question, { group: 'off_topic', documents: [], facts: [] }]);
    expect(await readQuestions(file, 'b')).toMatchObject([{ question: 'Why?' }]);
    await expect(readQuestions(file, 'c')).rejects.toThrow('no questions about the corpus c; it has a, b');
  });

  test.each([
    'tuning.json',
    'tuning-large.json',
    'held-out.json',
    'fresh.json',
    'policies.json',
    'languages.json',
    'languages-tuning.json',
  ])('%s is such a set', async (name) => {
    const path = fileURLToPath(new URL(`../evaluation/${name}`, import.meta.url));
    expect((await readQuestions(path)).length).toBeGreaterThan(50);
  });

  const base = {
    documents: [],
    facts: [],
    text: '',
    tone: 'answered' as const,
    citations: 0,
    validCitations: 0,
    citesDocument: false,
    found: null,
    saysFact: false,
    sentences: 1,
    supported: 0,
  };

  test('compares two runs question by question, and reads what an earlier run printed', async () => {
    const answer = (question: string, saysFact: boolean): EvaluatedAnswer => ({
      ...base,
      question,
      group: 'answerable',
      facts: ['1'],
      saysFact,
      found: { document: true, fact: saysFact },
    });
    const questions = Array.from({ length: 20 }, (_, i) => `question ${i}`);
    const before = questions.map((question, i) => answer(question, i < 5));
    const now = [...questions.map((question, i) => answer(question, i < 15)), answer('only now', true)];
    const quoted = compareAnswers(before, now).find(({ what }) => what === 'exact fact quoted');
    expect(quoted).toMatchObject({ questions: 20, before: 5, now: 15, difference: { mean: 0.5 } });
    expect(quoted?.difference.low).toBeGreaterThan(0.2);
    expect(quoted?.difference.high).toBeLessThan(0.8);
    expect(compareAnswers(before, before).every(({ difference }) => difference.mean === 0)).toBe(true);
    expect(compareAnswers(before, [])).toEqual([]);
    const file = join(dir, 'before.json');
    await writeFile(file, JSON.stringify(before));
    expect(await readAnswers(file)).toEqual(before);
    await writeFile(file, '{"answers": 3}');
    await expect(readAnswers(file)).rejects.toThrow('is not what `alfred eval answers --json` prints');
    await expect(readAnswers(join(dir, 'nowhere.json'))).rejects.toThrow('cannot be read: ENOENT');
  });

  test('counts by group what was answered, offered as related and left open', () => {
    const right = { citations: 2, validCitations: 1, citesDocument: true, saysFact: true, sentences: 3, supported: 2 };
    const answers: EvaluatedAnswer[] = [
      {
        ...base,
        ...right,
        question: 'a',
        group: 'answerable',
        facts: ['1'],
        found: { document: true, fact: false },
      },
      { ...base, question: 'b', group: 'answerable', facts: ['2'], tone: 'left_open' },
      { ...base, question: 'c', group: 'off_topic', tone: 'hedged' },
      { ...base, question: 'd', group: 'near_miss', failed: 'model_unavailable' },
    ];
    expect(scoreAnswers(answers)).toEqual({
      'false “I don’t know”': [1, 2],
      'right document cited': [1, 2],
      'exact fact quoted': [1, 2],
      'right document among the 10 passages': [1, 1],
      'exact fact among the 10 passages': [0, 1],
      'answerable, offered as “may be related” only': [0, 2],
      'off topic answered': [0, 1],
      'off topic, offered as “may be related”': [1, 1],
      'near miss answered': [0, 1],
      'near miss, offered as “may be related”': [0, 1],
      'citations whose quote stands at its place': [1, 2],
      'sentences that carry a citation, of answers that cite': [2, 3],
      'tasks that failed': [1, 4],
    });
  });

  test('the interval of a share is Wilson’s', () => {
    const { low, high } = wilson(8, 10);
    expect([low.toFixed(3), high.toFixed(3)]).toEqual(['0.490', '0.943']);
    expect(wilson(0, 20).low).toBe(0);
    expect(wilson(20, 20).high).toBeCloseTo(1);
  });
});
