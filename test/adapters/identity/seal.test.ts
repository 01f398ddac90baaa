import { randomBytes } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { createSeal } from '../../../adapters/identity/seal.ts';

const newKey = () => randomBytes(32).toString('base64');

test('sealed text opens with its key, purpose and context alone, and unchanged', () => {
  const [key, other] = [newKey(), newKey()];
  const seal = createSeal(() => [key], 'a');
  const sealed = seal.seal('secret ✓', 'row 1');
  expect(sealed.includes('secret')).toBe(false);
  expect(seal.open(sealed, 'row 1')).toBe('secret ✓');
  expect(seal.seal('secret ✓', 'row 1').equals(sealed)).toBe(false);
  expect(seal.open(sealed, 'row 2')).toBeUndefined();
  expect(createSeal(() => [key], 'b').open(sealed, 'row 1')).toBeUndefined();
  expect(createSeal(() => [other], 'a').open(sealed, 'row 1')).toBeUndefined();
  for (let at = 0; at < sealed.length; at += 7) {
    const changed = Buffer.from(sealed);
    changed[at] = (changed[at] ?? 0) ^ 1;
    expect(seal.open(changed, 'row 1')).toBeUndefined();
  }
  expect([0, 5, 27, sealed.length - 1].map((end) => seal.open(sealed.subarray(0, end), 'row 1'))).toEqual(
    Array(4).fill(undefined),
  );
});

test('a new key goes first, and what the one of before sealed still opens until it is taken away', () => {
  const [first, second] = [newKey(), newKey()];
  const old = createSeal(() => [first], 'a').seal('text');
  const rotated = createSeal(() => [second, first], 'a');
  expect(rotated.open(old)).toBe('text');
  expect(createSeal(() => [first], 'a').open(rotated.seal('text'))).toBeUndefined();
  expect(createSeal(() => [second], 'a').open(old)).toBeUndefined();
});
