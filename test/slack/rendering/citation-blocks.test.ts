import { expect, it } from '@jest/globals';
import { citationBlocks } from '../../../slack/rendering/citation-blocks.ts';
import { citation } from './events.ts';

const textsOf = (blocks: ReturnType<typeof citationBlocks>) =>
  blocks.map(({ elements }) => elements.map((element) => ('text' in element ? element.text : '')));

it('each source has its number, its place and its passage', () => {
  expect(textsOf(citationBlocks([citation(1), citation(2, '<!here> a\n> b')], {}))).toEqual([
    [
      '*[1]* policies/expenses.md › Filing, page 3\n“Reports are due within 30 days.”',
      '*[2]* policies/expenses.md › Filing, page 3\n“&lt;\u2060!here&gt; a &gt; b”',
    ],
  ]);
});

it('the place is a link where the document has an address', () => {
  const [[text]] = textsOf(citationBlocks([citation(1)], { document: ({ n }) => `https://example.org/${n}` })) as [
    [string],
  ];
  expect(text).toMatch(/^\*\[1\]\* <https:\/\/example.org\/1\|policies\/expenses.md › Filing, page 3>\n/);
});

it('a block has ten at the most, and many have shorter passages', () => {
  const many = Array.from({ length: 23 }, (_, at) => citation(at + 1, 'word '.repeat(200)));
  const texts = textsOf(citationBlocks(many, {}));
  expect(texts.map(({ length }) => length)).toEqual([10, 10, 3]);
  expect(texts.flat().every((text) => text.length < 250)).toBe(true);
});

it('a block is no longer than fits into a message', () => {
  const many = Array.from({ length: 10 }, (_, at) => ({
    ...citation(at + 1, '&'.repeat(900)),
    document: '<'.repeat(500),
  }));
  const texts = textsOf(citationBlocks(many, {}));
  expect(texts.every((elements) => elements.join('').length <= 4_000)).toBe(true);
  expect(texts.flat()).toHaveLength(10);
  expect(texts.flat().every((text) => text.length <= 3_000)).toBe(true);
});
