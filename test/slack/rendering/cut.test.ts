import { describe, expect, it } from '@jest/globals';
import { characterEnd, isCharacterBoundary, oneLine, proseEnd, shorten } from '../../../slack/rendering/cut.ts';

const family = '👩‍👩‍👧‍👦';

describe('cutting text', () => {
  it.each(['👍', '👍🏽', family, 'e\u0301', '🇪🇺', '각'])('%s is not cut apart', (character) => {
    const text = `${'a'.repeat(60)}${character}${'b'.repeat(60)}`;
    for (let length = 61; length < 60 + character.length; length++) {
      expect(isCharacterBoundary(text, length)).toBe(false);
      expect(characterEnd(text, 0, length)).toBe(60);
    }
    expect(characterEnd(text, 0, 60 + character.length)).toBe(60 + character.length);
  });

  it('takes nothing when not one character fits', () => {
    expect(characterEnd(family, 0, 5)).toBe(0);
    expect(characterEnd('abc', 0, -1)).toBe(0);
  });

  it('cuts a character of endless marks, but no surrogate pair', () => {
    expect(characterEnd(`e${'\u0301'.repeat(500)}`, 0, 100)).toBe(100);
    const marks = `a${'\u{e0100}'.repeat(500)}`;
    expect(marks.slice(0, characterEnd(marks, 0, 100)).isWellFormed()).toBe(true);
  });

  it('prefers the end of a line, a sentence, a word', () => {
    expect(proseEnd(`${'a'.repeat(60)}\nb. c d`, 0, 64)).toBe(61);
    expect(proseEnd(`${'a'.repeat(60)}. c d`, 0, 64)).toBe(62);
    expect(proseEnd(`${'a'.repeat(60)} cde`, 0, 62)).toBe(61);
    expect(proseEnd('a'.repeat(80), 0, 62)).toBe(62);
  });

  it('shortens', () => {
    expect(shorten('short', 10)).toBe('short');
    expect(shorten(`${'a'.repeat(48)} ${family}b`, 55)).toBe(`${'a'.repeat(48)}…`);
    expect(oneLine(' a\n b\tc ', 10)).toBe('a b c');
  });
});
