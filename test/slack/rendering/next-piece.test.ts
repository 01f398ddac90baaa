import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { nextPiece } from '../../../slack/rendering/next-piece.ts';
import { safeMarkdown } from '../../../slack/rendering/safe-markdown.ts';

describe('the next piece of a stream', () => {
  it('is what is not shown yet, within the limit', () => {
    expect(nextPiece('Hello you', 'Hello', 100)).toEqual({ append: ' you' });
    expect(nextPiece('a'.repeat(50_000), '', 12_000)!.append).toHaveLength(12_000);
    expect(nextPiece('Hello', 'Hello', 100)).toEqual({ append: '' });
  });

  it('is undefined when the text shown is void', () => {
    expect(nextPiece('', 'Let me search.', 100)).toBeUndefined();
    expect(nextPiece('The deadline', 'Let me search.', 100)).toBeUndefined();
  });

  it('keeps surrogate pairs and characters of several code points whole', () => {
    expect(nextPiece(`${'a'.repeat(95)}👩‍👩‍👧‍👦b`, '', 100)).toEqual({ append: 'a'.repeat(95) });
    expect(nextPiece('a\ud83d', '', 100)).toEqual({ append: 'a' });
  });

  it('a stream holds the whole text without a mention, however it arrives', () => {
    const token = fc.oneof(
      fc.constantFrom(
        '<',
        '!',
        '@',
        'chan',
        'nel',
        'he',
        're',
        '&',
        'lt;',
        '&#6',
        '4;',
        '\\',
        ' ',
        '👍🏽',
        'é',
        'x@',
        '\n[1]',
        ':',
        '.',
      ),
      fc.string({ unit: 'grapheme', maxLength: 8 }),
    );
    fc.assert(
      fc.property(fc.array(token, { maxLength: 40 }), fc.integer({ min: 60, max: 200 }), (tokens, limit) => {
        let [text, shown] = ['', ''];
        // Whole code units arrive one by one.
        for (const unit of `${tokens.join('')} \n`.split('')) {
          text += unit;
          const piece = nextPiece(text, shown, limit);
          if (piece === undefined) throw new Error(`void: ${JSON.stringify({ text, shown })}`);
          expect(piece.append.isWellFormed() || !text.isWellFormed()).toBe(true);
          shown += piece.append;
        }
        expect(shown).toBe(safeMarkdown(text));
      }),
      { numRuns: 1_000 },
    );
  });
});
