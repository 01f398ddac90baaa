import { expect, test } from '@jest/globals';
import { chooseMemories } from '../../../contract/rules/choose-memories.ts';

const filler = Array.from({ length: 30 }, (_, n) => ({ text: `Rule ${n}: ${'apple '.repeat(40)}` }));

test('what shares words with the question comes first, then the newest, as far as there is room', () => {
  const wish = { text: 'Answer me in French.' };
  const office = { text: 'Our offices are in Paris and Lyon.' };
  const chosen = chooseMemories([wish, ...filler, office], 'In which city is the office?');
  expect(chosen.slice(0, 2)).toEqual([office, wish]);
  expect(chosen.length).toBeLessThan(20);
  expect(chosen.reduce((sum, { text }) => sum + text.length, 0)).toBeLessThanOrEqual(4_000);
});

test('few memories are all given, whatever is asked', () => {
  expect(chooseMemories([{ text: 'Answer me in French.' }], 'How much is a hotel?')).toHaveLength(1);
  expect(chooseMemories([], 'How much is a hotel?')).toEqual([]);
});
