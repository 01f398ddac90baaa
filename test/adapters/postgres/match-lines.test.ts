import { expect, jest, test } from '@jest/globals';
import { searchOf, wordsOf } from '../../../adapters/postgres/contacts/contact-rows.ts';
import { matchLines } from '../../../adapters/postgres/contacts/match-lines.ts';

const phones = Array.from({ length: 20 }, (_, n) => `+49309018${20 + n}`);
const body = (name: string) => ({
  name,
  firstName: null,
  lastName: null,
  emails: [`${name.slice(0, 8).replaceAll(' ', '')}@example.com`],
  phones,
  company: null,
  title: null,
  country: null,
  custom: {},
});
const people = (from: number, count: number) =>
  Array.from({ length: count }, (_, n) => body(`P${from + n} ${'long name '.repeat(90)}${from + n}0`));

test('people who share numbers are compared without folding their names again and again', () => {
  const known = people(0, 20).map((one, n) => ({ id: `c${n}`, body: one, base: null, apart: [] }));
  const lines = people(20, 10).map((one, n) => ({ line: n + 2, body: one, fields: {} }));
  const normalise = jest.spyOn(String.prototype, 'normalize');
  try {
    expect(matchLines(lines, known).outcomes).toMatchObject({ added: 10 });
    // Each of 30 a few times, and not 20 numbers with 20 contacts for each of 10 lines.
    expect(normalise.mock.calls.length).toBeLessThan(200);
  } finally {
    normalise.mockRestore();
  }
});

test('words are cut without a half character, which Postgres refuses, in contacts as in searches', () => {
  const name = `${'a'.repeat(59)}\u{20000}b`;
  const words = wordsOf(body(name));
  expect(words.every((word) => word.isWellFormed())).toBe(true);
  expect(searchOf(name)).toBe(`'${words[0]}':*`);
});
