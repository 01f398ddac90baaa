import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { quantize, BinaryCodes } from '../../../knowledge/search/embedded/binary-quantization.ts';

const unfiltered = { isAllowed: undefined, updatedRange: [-Infinity, Infinity] } as const;
const differing = (a: Float32Array, b: Float32Array) => a.reduce((n, x, i) => n + Number(x > 0 !== (b[i] ?? 0) > 0), 0);
const vectors = fc.array(fc.float32Array({ minLength: 40, maxLength: 40, noNaN: true }), {
  minLength: 1,
  maxLength: 60,
});

test('the nearest rows are those with the fewest different signs', () => {
  fc.assert(
    fc.property(vectors, fc.integer({ min: 1, max: 20 }), (given, limit) => {
      const codes = new BinaryCodes();
      for (const [i, vector] of given.entries()) codes.add(i + 1, quantize(vector), 0, 0);
      const query = given[0] ?? new Float32Array(40);
      const { rows: nearest, compared } = codes.nearest(quantize(query), limit, unfiltered);
      const distances = given.map((vector) => differing(query, vector));
      const worst = Math.max(...nearest.map((row) => distances[row - 1] ?? 0));
      expect(compared).toBe(given.length);
      expect(nearest.length).toBeGreaterThanOrEqual(Math.min(limit, given.length));
      expect(distances.filter((distance) => distance <= worst)).toHaveLength(nearest.length);
    }),
  );
});

test('rows of other classes and times are left out', () => {
  const codes = new BinaryCodes();
  const vector = Float32Array.from({ length: 16 }, (_, i) => i - 8);
  for (let row = 1; row <= 3_000; row++) codes.add(row, quantize(vector), row % 3, row);
  const allowed = Uint8Array.of(0, 1, 0);
  const nearest = codes.nearest(quantize(vector), 5, { isAllowed: allowed, updatedRange: [100, 200] });
  expect(nearest).toEqual({ rows: Array.from({ length: 34 }, (_, i) => 100 + 3 * i), compared: 34 });
  const none = { ...unfiltered, isAllowed: Uint8Array.of(0, 0, 0) };
  expect(codes.nearest(quantize(vector), 5, none)).toEqual({ rows: [], compared: 0 });
});
