import { expect, test } from '@jest/globals';
import { fuse } from '../../../knowledge/search/fusion.ts';

const list = (...ids: string[]) => ids.map((chunkId, i) => ({ chunkId, score: 10 - i }));
const ids = (fused: { chunkId: string }[]) => fused.map(({ chunkId }) => chunkId);

test.each([
  { method: 'rrf', k: 60, denseWeight: 0.5 },
  { method: 'dbsf', denseWeight: 0.5 },
] as const)('by $method, candidates near the top of both lists come first, with their rank in each', (fusion) => {
  const fused = fuse({ lexical: list('a', 'b', 'c'), dense: list('c', 'b', 'd') }, fusion);
  expect(ids(fused).slice(0, 2).toSorted()).toEqual(['b', 'c']);
  expect(fused.find(({ chunkId }) => chunkId === 'c')).toMatchObject({
    lexical: { rank: 3, score: 8 },
    dense: { rank: 1, score: 10 },
  });
  expect(fused.find(({ chunkId }) => chunkId === 'd')).toMatchObject({ lexical: null, dense: { rank: 3 } });
});

test('a single list keeps its order, and two empty lists give an empty one', () => {
  expect(ids(fuse({ lexical: list('a', 'b', 'c'), dense: [] }))).toEqual(['a', 'b', 'c']);
  expect(ids(fuse({ lexical: [], dense: list('x', 'y') }))).toEqual(['x', 'y']);
  expect(fuse({ lexical: [], dense: [] })).toEqual([]);
});

test('ties are ordered by id', () => {
  expect(ids(fuse({ lexical: list('b'), dense: list('a') }))).toEqual(['a', 'b']);
});

test('equal scores do not lead to a division by zero', () => {
  const same = ['a', 'b'].map((chunkId) => ({ chunkId, score: 1 }));
  for (const { score } of fuse({ lexical: same, dense: same }, { method: 'dbsf', denseWeight: 0.5 }))
    expect(score).toBeCloseTo(0.5);
});
