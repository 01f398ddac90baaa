import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createAdapters } from '../../wiring/adapters.ts';
import { readQuestions, scoreAnswers, type EvaluatedAnswer } from '../../cli/eval/answers.ts';
import { readCorpus } from '../../cli/eval/beir.ts';
import { evaluateRetrieval, removeCorpus } from '../../cli/eval/retrieval.ts';
import { createTestEnvironment } from '../support/environment/environment.ts';
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

  test('counts correct documents, facts, unanswerable questions without citations, and valid citations', () => {
    const base = {
      text: '',
      citations: 0,
      validCitations: 0,
      citesDocument: false,
      saysFact: false,
      sentences: 1,
      supported: 0,
    };
    const answers: EvaluatedAnswer[] = [
      {
        ...base,
        question: 'a',
        document: 'a.md',
        fact: '1',
        citations: 2,
        validCitations: 1,
        citesDocument: true,
        saysFact: true,
        sentences: 3,
        supported: 2,
      },
      { ...base, question: 'b', document: 'b.md', fact: '2' },
      { ...base, question: 'c', document: null, fact: null },
      { ...base, question: 'd', document: null, fact: null, failed: 'model_unavailable' },
    ];
    expect(Object.values(scoreAnswers(answers))).toEqual([
      [1, 2],
      [1, 2],
      [1, 2],
      [1, 2],
      [2, 3],
      [1, 4],
    ]);
  });
});
