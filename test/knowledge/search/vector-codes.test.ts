import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { seededRandom } from '../../../cli/eval/seeded-random.ts';
import { VectorCodes } from '../../../knowledge/search/embedded/vector-codes.ts';

const unfiltered = { isAllowed: undefined, updatedRange: [-Infinity, Infinity] } as const;
const cosine = (a: Float32Array, b: Float32Array) => {
  const product = (x: Float32Array, y: Float32Array) => x.reduce((sum, n, i) => sum + n * (y[i] ?? 0), 0);
  return product(a, b) / Math.sqrt(product(a, a) * product(b, b));
};
const codesOf = (vectors: Float32Array[], dimensions: number, sample = vectors) => {
  const codes = new VectorCodes(sample, dimensions);
  for (const [i, vector] of vectors.entries()) codes.add(i, vector, 0, 0);
  return codes;
};
const arbitraryVectors = fc.array(
  fc.float32Array({ minLength: 10, maxLength: 10, noNaN: true, noDefaultInfinity: true, min: -100, max: 100 }),
  { minLength: 1, maxLength: 60 },
);

/** Vectors as multilingual-e5-small gives them: their cosines to each other lie between 0.7 and 0.9. */
function vectorsAroundOne(count: number, { seed, dimensions = 384 }: { seed: number; dimensions?: number }) {
  const random = seededRandom(seed);
  const around = () => random() + random() + random() - 1.5;
  const centre = Array.from({ length: dimensions }, around);
  return Array.from({ length: count }, () => Float32Array.from(centre, (x) => 1.8 * x + around()));
}

test('at least as many rows as asked for are found, and all when there are not more', () => {
  fc.assert(
    fc.property(arbitraryVectors, fc.integer({ min: 1, max: 80 }), (vectors, limit) => {
      const [query = new Float32Array(10)] = vectors;
      const { rows, compared } = codesOf(vectors, 10).nearest(query, limit, unfiltered);
      expect(compared).toBe(vectors.length);
      expect(rows.length).toBeGreaterThanOrEqual(Math.min(limit, vectors.length));
      expect(new Set(rows).size).toBe(rows.length);
    }),
  );
});

test('of vectors that all point in about the same direction, the nearest are found', () => {
  const vectors = vectorsAroundOne(3_000, { seed: 7 });
  const queries = vectors.splice(0, 10);
  const codes = codesOf(vectors, 384, vectors.slice(0, 300));
  let found = 0;
  for (const query of queries) {
    const exact = vectors.map((vector, row) => ({ row, cosine: cosine(query, vector) }));
    exact.sort((a, b) => b.cosine - a.cosine);
    const { rows } = codes.nearest(query, 400, unfiltered);
    expect(rows.length).toBeLessThan(450);
    found += exact.slice(0, 50).filter(({ row }) => rows.includes(row)).length;
  }
  // Of 500. By the signs of their numbers alone 240 are found.
  expect(found).toBeGreaterThan(480);
});

test('the length of a vector does not count, only its direction', () => {
  const vectors = vectorsAroundOne(500, { seed: 3, dimensions: 32 });
  const [query = new Float32Array(32)] = vectors;
  const scaled = vectors.map((vector, i) => vector.map((x) => x * (1 + (i % 7))));
  const nearest = (list: Float32Array[]) => codesOf(list, 32).nearest(query, 20, unfiltered).rows;
  expect(nearest(scaled)).toEqual(nearest(vectors));
});

test('rows of other classes and times are left out', () => {
  const vector = Float32Array.from({ length: 16 }, (_, i) => i - 8);
  const codes = new VectorCodes([vector], 16);
  for (let row = 1; row <= 3_000; row++) codes.add(row, vector, row % 3, row);
  const allowed = Uint8Array.of(0, 1, 0);
  const nearest = codes.nearest(vector, 5, { isAllowed: allowed, updatedRange: [100, 200] });
  expect(nearest).toEqual({ rows: Array.from({ length: 34 }, (_, i) => 100 + 3 * i), compared: 34 });
  const none = { ...unfiltered, isAllowed: Uint8Array.of(0, 0, 0) };
  expect(codes.nearest(vector, 5, none)).toEqual({ rows: [], compared: 0 });
});
