import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createApiHarness, type ApiHarness } from '../api/api-harness.ts';
import { createFakeReranker } from '../support/fakes/fake-reranker.ts';
import { putDocument } from '../support/documents/put-document.ts';
import { alfred } from './run-alfred.ts';

let harness: ApiHarness;
let server: Awaited<ReturnType<typeof createFakeReranker>>;
beforeAll(async () => {
  server = await createFakeReranker((text) => (text.includes('hard') ? 2 : 1));
  harness = await createApiHarness({ ALFRED_EMBEDDINGS: 'none', ...server.variables });
  await putDocument(harness.postgres.db, 'often.txt', 'Granite, granite, granite.');
  await putDocument(harness.postgres.db, 'once.txt', 'Among all stones granite is a hard one.');
});
afterAll(async () => {
  await harness?.close();
  await server?.close();
});

const search = async () => (await harness.http.post('/v1/search', { query: 'granite' })).body;
const explainSearch = () => alfred(['search', 'granite', '--explain'], { ALFRED_URL: harness.url, NO_COLOR: '1' });

test('the API and the command report the rank that the reranker gave each passage', async () => {
  const { passages, indexVersion } = await search();
  expect(passages).toMatchObject([
    { document: 'once.txt', score: 2, scores: { fused: { rank: 2 }, rerank: { rank: 1, score: 2 } } },
    { document: 'often.txt', score: 1, scores: { fused: { rank: 1 }, rerank: { rank: 2, score: 1 } } },
  ]);
  const { stdout, stderr } = await explainSearch();
  expect(stderr).toContain(`lexical, ${indexVersion}`);
  expect(stdout).toMatch(/^once\.txt\n.*fused 2 \(0\.\d+\) · reranked 1 \(2\.0000\)/);
});

test('the command says which word it searched for instead of a misspelt one, and which code no document has', async () => {
  const env = { ALFRED_URL: harness.url, NO_COLOR: '1' };
  const { stderr, stdout } = await alfred(['search', 'grannite', 'PPR-9999'], env);
  expect(stderr).toContain('No document has “grannite”: searched for “granite”.');
  expect(stderr).toContain('No document has PPR-9999.');
  expect(stdout).toContain('granite is a hard one');
});

test('while the reranker is unavailable, neither reports it, and a metric counts it', async () => {
  server.answerWith(() => ({ status: 503, json: {} }));
  const { passages, indexVersion } = await search();
  expect(passages).toMatchObject([
    { document: 'often.txt', scores: { fused: { rank: 1 }, rerank: null } },
    { document: 'once.txt', scores: { fused: { rank: 2 }, rerank: null } },
  ]);
  expect(indexVersion).not.toContain('rerank');
  expect((await explainSearch()).stdout).not.toContain('reranked');
  expect(await harness.metrics.registry.metrics()).toContain('search_reranks_total{outcome="model_unavailable"} 2');
});
