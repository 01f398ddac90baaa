import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Assembled, assemble, maxChunkCharacters } from '../../../activities/adapters/documents/assemble.ts';
import { readMarkdown } from '../../../activities/adapters/documents/markdown.ts';
import { markdownSlices } from '../../../activities/adapters/documents/markdown-slices.ts';
import { normalise } from '../../../activities/adapters/documents/normalise.ts';
import { readPlainText } from '../../../activities/adapters/documents/plain-text.ts';
import type { Unit } from '../../../activities/adapters/documents/unit.ts';

const words = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 40 }),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.lorem({ maxCount: 12, mode: 'sentences' }),
  fc.constantFrom('한국어 문장입니다. ', 'e\u0301', '\u200b', 'a\r\nb', '🧑‍🚀🧑‍🚀', '\t \n'),
);
const long = fc.tuple(words, fc.integer({ min: 1, max: 400 })).map(([text, times]) => text.repeat(times));
const page = fc.constantFrom(null, 1, 2);
const unit: fc.Arbitrary<Unit> = fc.oneof(
  fc.record({ kind: fc.constant('heading' as const), depth: fc.integer({ min: 1, max: 6 }), text: words, page }),
  fc.record({ kind: fc.constant('body' as const), text: fc.oneof(words, long), tight: fc.boolean(), page }),
);

function holds({ text, chunks }: Assembled, headings: Unit[]) {
  expect(normalise(text)).toBe(text);
  let end = 0;
  let between = '';
  for (const chunk of chunks) {
    expect(text.slice(chunk.start, chunk.end)).toBe(chunk.text);
    expect(chunk.start).toBeGreaterThanOrEqual(end);
    expect(chunk.text.length).toBeGreaterThan(0);
    expect(chunk.text.length).toBeLessThanOrEqual(maxChunkCharacters);
    expect(chunk.text.isWellFormed()).toBe(true);
    between += text.slice(end, chunk.start);
    end = chunk.end;
  }
  between += text.slice(end);
  // Nothing is lost: what no chunk holds are headings, each of which stands in a path.
  const left = headings.map((heading) => normalise(heading.text)).join('');
  const letters = new Set(left);
  expect([...between].filter((letter) => /\S/.test(letter) && !letters.has(letter))).toEqual([]);
}

describe('chunks', () => {
  test('are exact, ordered slices of the text, within their size, and nothing is lost', () => {
    fc.assert(
      fc.property(fc.array(unit, { maxLength: 30 }), (units) => {
        holds(
          assemble(units, 'Untitled'),
          units.filter(({ kind }) => kind === 'heading'),
        );
      }),
      { numRuns: 150 },
    );
  });

  test('hold for whatever is read as Markdown', () => {
    const line = fc.tuple(
      fc.constantFrom('# ', '## ', '- ', '  - ', '1. ', '> ', '', '| a | ', '```', '<p>', '\n', '[^1]: '),
      words,
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 40 }), (lines) => {
        const { units } = readMarkdown(lines.map((parts) => parts.join('')).join('\n'));
        holds(
          assemble(units, 'Untitled'),
          units.filter(({ kind }) => kind === 'heading'),
        );
      }),
      { numRuns: 100 },
    );
  });

  test('hold for whatever is read as plain text, whose text is the file', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(words, fc.constant('\n\n')), { maxLength: 40 }), (parts) => {
        const { units } = readPlainText(parts.join(''));
        const document = assemble(units, 'Untitled');
        expect(document.text).toBe(normalise(parts.join('')));
        holds(
          document,
          units.filter(({ kind }) => kind === 'heading'),
        );
      }),
      { numRuns: 100 },
    );
  });

  test('never cross a heading or a page, and keep short neighbours together', () => {
    const body = (text: string, page: number | null): Unit => ({ kind: 'body', text, tight: false, page });
    const { chunks } = assemble(
      [body('a', 1), body('b', 1), body('c', 2), { kind: 'heading', depth: 1, text: 'H', page: 2 }, body('d', 2)],
      'Untitled',
    );
    expect(chunks.map(({ text, page, headingPath }) => [text, page, headingPath])).toEqual([
      ['a\n\nb', 1, []],
      ['c', 2, []],
      ['d', 2, ['H']],
    ]);
  });

  test('keep table rows whole and cut an oversized paragraph between sentences', () => {
    const rows = Array.from({ length: 200 }, (_, n): Unit => ({
      kind: 'body',
      text: `Row: ${n}; Value: ${'v'.repeat(1 + (n % 60))}`,
      tight: n > 0,
      page: null,
    }));
    for (const { text } of assemble(rows, 'x').chunks)
      expect(text.split('\n').every((row) => /^Row: \d+; Value: v+$/.test(row))).toBe(true);
    const prose = Array.from({ length: 300 }, (_, n) => `Sentence number ${n} stands here.`).join(' ');
    for (const { text } of assemble([{ kind: 'body', text: prose, tight: false, page: null }], 'x').chunks) {
      expect(text).toMatch(/^Sentence number \d+ stands here\..*stands here\.$/s);
    }
  });
});

test('slices of Markdown are the whole text and end between blocks', () => {
  const block = fc.constantFrom(
    '# Heading\n\n',
    `${'word '.repeat(900)}\n\n`,
    '```\n\ncode\n\n```\n\n',
    '- item\n\n  more\n\n',
    '~~~~\n\n',
    '\r\n',
  );
  fc.assert(
    fc.property(fc.array(block, { maxLength: 60 }), (blocks) => {
      const text = blocks.join('');
      const slices = [...markdownSlices(text)];
      expect(slices.join('')).toBe(text);
      for (const slice of slices.slice(1)) expect(slice).toMatch(/^\S/);
    }),
  );
});
