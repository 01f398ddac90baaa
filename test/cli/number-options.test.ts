import { expect, test } from '@jest/globals';
import { dollarAmount, wholeNumber } from '../../cli/commands/number-options.ts';

const count = wholeNumber({ from: 1, like: 50 });

test.each(['', ' ', '0', '-1', '+1', '1.5', '1e3', '0x10', '12a', 'NaN', '9007199254740993'])(
  '`%s` is no count',
  (value) => expect(() => count(value)).toThrow('expected a whole number from 1 on, like 50'),
);

test('whole numbers from the lowest one on are taken', () => {
  expect([count('1'), count('007'), wholeNumber({ from: 0, like: 50 })('0')]).toEqual([1, 7, 0]);
});

test.each(['', ' ', '-1', 'NaN', 'Infinity', '1,5'])('`%s` is no amount of dollars', (value) =>
  expect(() => dollarAmount(value)).toThrow('expected US dollars, like 0.25'),
);
