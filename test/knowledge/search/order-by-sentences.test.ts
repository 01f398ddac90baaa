import { expect, test } from '@jest/globals';
import { fuse } from '../../../knowledge/search/fusion.ts';
import { orderBySentences } from '../../../knowledge/search/sentences/order-by-sentences.ts';
import { readSentenceVectors, writeSentenceVectors } from '../../../knowledge/store/sentence-vectors.ts';

const candidates = (...ids: string[]) =>
  fuse({ lexical: ids.map((chunkId, i) => ({ chunkId, score: 10 - i })), dense: [] });
const order = (ids: string[], scores: Record<string, number>) =>
  orderBySentences(
    candidates(...ids),
    new Map(Object.entries(scores).map(([id, score]) => [id, { documentId: id, score, sentences: [] }])),
  );

test('candidates come in the order of their best sentences, and each says where fusion had it', () => {
  const ordered = order(['a', 'b', 'c'], { a: 0.1, b: 0.3, c: 0.2 });
  expect(ordered.map(({ chunkId, rank, sentence }) => [chunkId, rank, sentence?.rank])).toEqual([
    ['b', 2, 1],
    ['c', 3, 2],
    ['a', 1, 3],
  ]);
});

test('a candidate that holds a code of the query comes first', () => {
  const found = { lexical: ['a', 'b', 'c'].map((chunkId, i) => ({ chunkId, score: 3 - i })), dense: [] };
  const fused = fuse({ ...found, codes: [{ code: 'PPR-9087', holders: ['c'] }] });
  const ratings = new Map([
    ['a', { score: 0.9 }],
    ['b', { score: 0.8 }],
    ['c', { score: 0.1 }],
  ]);
  expect(orderBySentences(fused, ratings).map(({ chunkId }) => chunkId)).toEqual(['c', 'a', 'b']);
});

test('a candidate without vectors of its sentences keeps its place', () => {
  const ordered = order(['a', 'new', 'c', 'd'], { a: 0.1, c: 0.3, d: 0.2 });
  expect(ordered.map(({ chunkId, sentence }) => [chunkId, sentence?.rank ?? null])).toEqual([
    ['c', 1],
    ['new', null],
    ['d', 2],
    ['a', 3],
  ]);
});

test('equal candidates keep their order, and without ratings nothing changes', () => {
  expect(order(['a', 'b', 'c'], { a: 0.2, b: 0.2, c: 0.2 }).map(({ chunkId }) => chunkId)).toEqual(['a', 'b', 'c']);
  expect(order(['a', 'b'], {})).toEqual(candidates('a', 'b'));
});

test('stored vectors of sentences keep their direction; bytes of another number of them are refused', () => {
  const vectors = [Float32Array.of(0.6, -0.8, 0.01), Float32Array.of(0, 0, 0), Float32Array.of(-1, 1e-3, 0)];
  const written = writeSentenceVectors(vectors);
  expect(written).toHaveLength(3 * (4 + 3));
  const read = readSentenceVectors(written, { count: 3, dimensions: 3 });
  for (const [i, vector] of vectors.entries())
    for (const [j, x] of vector.entries()) expect(read?.[i]?.[j]).toBeCloseTo(x, 2);
  expect(readSentenceVectors(written, { count: 2, dimensions: 3 })).toBeUndefined();
  expect(readSentenceVectors(written, { count: 1, dimensions: 3 })).toBeUndefined();
  expect(readSentenceVectors(Buffer.alloc(0), { count: 0, dimensions: 3 })).toEqual([]);
});
