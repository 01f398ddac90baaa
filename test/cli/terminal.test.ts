import { PassThrough } from 'node:stream';
import { expect, test } from '@jest/globals';
import { oneLine } from '../../cli/terminal/format.ts';
import { createTerminal, prefixWithin, table, wrap } from '../../cli/terminal/terminal.ts';

/** A family is one character on the screen, of five code points. */
const family = '👨‍👩‍👧';

test('table columns align when cells have CJK characters, emoji or combining accents', () => {
  expect(
    table([
      ['NAME', 'TITLE', 'SIZE'],
      ['経費規程.md', '出張', '1 kB'],
      [`${family}.md`, 'Cafe\u0301', '2 kB'],
      ['plain.md', 'Expenses', '3 kB'],
    ]),
  ).toBe(
    [
      'NAME         TITLE     SIZE',
      '経費規程.md  出張      1 kB',
      `${family}.md        Cafe\u0301      2 kB`,
      'plain.md     Expenses  3 kB',
    ].join('\n'),
  );
});

test('text wraps by the columns that its characters take', () => {
  expect(wrap('経費 規程 出張', 9)).toBe('経費 規程\n出張');
  expect(wrap('経費 規程 出張', 8)).toBe('経費\n規程\n出張');
  expect(wrap('经费 ok 👍 ok', 9, '  ')).toBe('  经费 ok\n  👍 ok');
});

test('text is cut by columns, and never within a character', () => {
  expect(prefixWithin('経費規程', 5)).toBe('経費');
  expect(prefixWithin(`a${family}b`, 2)).toBe('a');
  expect(prefixWithin(`a${family}b`, 3)).toBe(`a${family}`);
  expect(oneLine('経費\n規程', 9)).toBe('経費 規程');
  expect(oneLine('経費\n規程', 8)).toBe('経費 規…');
});

test('a status takes at most one row of the terminal', () => {
  const output = new PassThrough();
  const stream = Object.assign(output, { isTTY: true, columns: 10 }) as unknown as NodeJS.WriteStream;
  createTerminal({ stdout: stream, stderr: stream }).status('経費規程出張旅費');
  expect(String(output.read()).match(/\p{Script=Han}+/u)?.[0]).toBe('経費規程');
});
