import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type AssembledDocument, assembleDocument } from '../../parsing/chunks/assemble-document.ts';
import { chunkLengths } from '../../parsing/chunks/cut-chunks.ts';
import { readMarkdown } from '../../parsing/formats/markdown.ts';
import { markdownSlices } from '../../parsing/formats/markdown-slices.ts';
import { normalise } from '../../parsing/normalise.ts';
import { readPlainText } from '../../parsing/formats/plain-text.ts';
import type { Unit } from '../../parsing/chunks/unit.ts';
import { defaultChunking } from '../../contract/chunking.ts';

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

/** Checks what is true for the chunks of every document. */
function expectValid({ text, chunks }: AssembledDocument, headings: Unit[], chunking = defaultChunking) {
  const lengths = chunkLengths(chunking);
  expect(normalise(text)).toBe(text);
  let end = 0;
  let between = '';
  for (const chunk of chunks) {
    expect(text.slice(chunk.start, chunk.end)).toBe(chunk.text);
    expect(chunk.start).toBeGreaterThanOrEqual(end - lengths.overlap);
    expect(chunk.end).toBeGreaterThan(end);
    expect(chunk.text.length).toBeGreaterThan(0);
    expect(chunk.text.length).toBeLessThanOrEqual(lengths.chunk);
    expect(chunk.text.isWellFormed()).toBe(true);
    between += text.slice(end, Math.max(end, chunk.start));
    end = chunk.end;
  }
  between += text.slice(end);
  // Nothing is lost: text outside all chunks can only be headings, which are in the chunks' heading paths.
  const headingText = headings.map((heading) => normalise(heading.text)).join('');
  const letters = new Set(headingText);
  expect([...between].filter((letter) => /\S/.test(letter) && !letters.has(letter))).toEqual([]);
}

describe('chunks', () => {
  test('are exact, ordered slices of the text, within their size, and nothing is lost', () => {
    fc.assert(
      fc.property(fc.array(unit, { maxLength: 30 }), (units) => {
        expectValid(
          assembleDocument(units, 'Untitled'),
          units.filter(({ kind }) => kind === 'heading'),
        );
      }),
      { numRuns: 150 },
    );
  });

  test('are valid for every size and overlap, and an overlap crosses no heading or page', () => {
    const settings = fc
      .tuple(fc.integer({ min: 64, max: 1_000 }), fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }))
      .map(([chunkTokens, part]) => ({ chunkTokens, overlapTokens: Math.ceil((part * chunkTokens) / 2) - 1 }))
      .filter(({ overlapTokens }) => overlapTokens >= 0);
    fc.assert(
      fc.property(fc.array(unit, { maxLength: 20 }), settings, (units, chunking) => {
        const document = assembleDocument(units, 'Untitled', { chunking });
        const headings = units.filter(({ kind }) => kind === 'heading');
        expectValid(document, headings, chunking);
        for (const [i, chunk] of document.chunks.entries()) {
          const before = document.chunks[i - 1];
          if (!before || chunk.start >= before.end) continue;
          expect([chunk.headingPath, chunk.page]).toEqual([before.headingPath, before.page]);
        }
        expect(document.text).toBe(assembleDocument(units, 'Untitled').text);
      }),
      { numRuns: 150 },
    );
  });

  test('are valid for any Markdown', () => {
    const line = fc.tuple(
      fc.constantFrom('# ', '## ', '- ', '  - ', '1. ', '> ', '', '| a | ', '```', '<p>', '\n', '[^1]: '),
      words,
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 40 }), (lines) => {
        const { units } = readMarkdown('a.md', lines.map((parts) => parts.join('')).join('\n'));
        expectValid(
          assembleDocument(units, 'Untitled'),
          units.filter(({ kind }) => kind === 'heading'),
        );
      }),
      { numRuns: 100 },
    );
  });

  test('are valid for any plain text, and the document has the text of the file', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(words, fc.constant('\n\n')), { maxLength: 40 }), (parts) => {
        const { units } = readPlainText(parts.join(''));
        const document = assembleDocument(units, 'Untitled');
        expect(document.text).toBe(normalise(parts.join('')));
        expectValid(
          document,
          units.filter(({ kind }) => kind === 'heading'),
        );
      }),
      { numRuns: 100 },
    );
  });

  test('never cross a heading or a page, and join short neighbours', () => {
    const body = (text: string, page: number | null): Unit => ({ kind: 'body', text, tight: false, page });
    const { chunks } = assembleDocument(
      [body('a', 1), body('b', 1), body('c', 2), { kind: 'heading', depth: 1, text: 'H', page: 2 }, body('d', 2)],
      'Untitled',
    );
    expect(chunks.map(({ text, page, headingPath }) => [text, page, headingPath])).toEqual([
      ['a\n\nb', 1, []],
      ['c', 2, []],
      ['d', 2, ['H']],
    ]);
  });

  test('keep table rows whole and cut a long paragraph between sentences', () => {
    const rows = Array.from({ length: 200 }, (_, n): Unit => ({
      kind: 'body',
      text: `Row: ${n}; Value: ${'v'.repeat(1 + (n % 60))}`,
      tight: n > 0,
      page: null,
    }));
    for (const { text } of assembleDocument(rows, 'x').chunks)
      expect(text.split('\n').every((row) => /^Row: \d+; Value: v+$/.test(row))).toBe(true);
    const prose = Array.from({ length: 300 }, (_, n) => `Sentence number ${n} stands here.`).join(' ');
    for (const { text } of assembleDocument([{ kind: 'body', text: prose, tight: false, page: null }], 'x').chunks) {
      expect(text).toMatch(/^Sentence number \d+ stands here\..*stands here\.$/s);
    }
  });
});

describe('an overlap', () => {
  const body = (text: string, tight = false): Unit => ({ kind: 'body', text, tight, page: null });
  const sentence = (n: number) => `Sentence number ${n} stands in this text.`;
  const sentences = (count: number) => Array.from({ length: count }, (_, n) => sentence(n)).join(' ');
  const chunksOf = (units: Unit[], chunkTokens: number, overlapTokens: number) =>
    assembleDocument(units, 'Untitled', { chunking: { chunkTokens, overlapTokens } });

  test('repeats whole sentences from the end of the chunk before', () => {
    const { text, chunks } = chunksOf([body(sentences(40))], 100, 30);
    expect(chunks.length).toBeGreaterThan(3);
    for (const [i, { start, text: chunkText }] of chunks.entries()) {
      const before = chunks[i - 1];
      if (!before) continue;
      const repeated = text.slice(start, before.end);
      expect(repeated).toMatch(/^Sentence number .* stands in this text\.$/);
      expect(repeated.length).toBeLessThanOrEqual(135);
      expect(chunkText.startsWith(`${repeated} `)).toBe(true);
    }
  });

  test('does not exist across a heading or a page, nor in the first chunk', () => {
    const heading: Unit = { kind: 'heading', depth: 1, text: 'Next', page: null };
    const page = (n: number): Unit => ({ kind: 'body', text: sentences(6), tight: false, page: n });
    const { chunks } = chunksOf([body(sentences(6)), heading, body(sentences(6)), page(1), page(2)], 100, 40);
    const starts = chunks.filter((chunk, i) => !chunks[i - 1] || chunk.start >= (chunks[i - 1]?.end ?? 0));
    expect(starts.map(({ headingPath, page: pageNumber }) => [headingPath, pageNumber])).toEqual([
      [[], null],
      [['Next'], null],
      [['Next'], 1],
      [['Next'], 2],
    ]);
    for (const { text } of starts) expect(text.startsWith(sentence(0))).toBe(true);
  });

  test('contains rows whole or not at all', () => {
    const rows = Array.from({ length: 60 }, (_, n) =>
      body(`Row: ${n}; Value: ${'v'.repeat(1 + ((n * 37) % 150))}`, n > 0),
    );
    const { chunks } = chunksOf(rows, 64, 20);
    for (const { text } of chunks) for (const line of text.split('\n')) expect(line).toMatch(/^Row: \d+; Value: v+$/);
    const repeats = chunks.filter(({ start }, i) => start < (chunks[i - 1]?.end ?? 0));
    expect(repeats.length).toBeGreaterThan(5);
    expect(repeats.length).toBeLessThan(chunks.length - 1);
  });

  test('of a table or list begins with a row or item, also when one has many sentences', () => {
    const row = (n: number) =>
      `Rule: ${n}; Says: ${sentence(n)} It holds for everybody. It has no exception.; Since: 2020`;
    const { text, chunks } = chunksOf(
      [body('Before.'), ...Array.from({ length: 30 }, (_, n) => body(row(n), n > 0))],
      100,
      45,
    );
    const overlaps = chunks.slice(1).map(({ start }, i) => text.slice(start, chunks[i]?.end));
    expect(overlaps.filter((repeated) => repeated !== '').length).toBeGreaterThan(3);
    for (const repeated of overlaps) expect(repeated).toMatch(/^($|Rule: )/);
  });

  test('begins at a word when a sentence is too long, also in text without spaces', () => {
    for (const sentenceWithoutEnd of ['word and another word, '.repeat(80), '東京都の人口は増えている、'.repeat(80)]) {
      const { text, chunks } = chunksOf([body(sentenceWithoutEnd)], 100, 10);
      for (const [i, { start }] of chunks.entries()) {
        const before = chunks[i - 1];
        if (!before) continue;
        const repeated = text.slice(start, before.end);
        expect(repeated.length).toBeGreaterThan(10);
        expect(repeated).not.toMatch(/^\s|^[,、]/);
      }
    }
  });
});

test('slices of Markdown together are the whole text, and end between blocks', () => {
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
