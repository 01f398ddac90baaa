import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Nodes } from 'mdast';
import remarkGfm from 'remark-gfm';
import remarkParse from 'remark-parse';
import { unified } from 'unified';
import { isCharacterBoundary } from '../../../slack/rendering/cut.ts';
import { leastMs } from './least-ms.ts';
import { splitMarkdown, type MarkdownPart } from '../../../slack/rendering/split-markdown.ts';

const limits = { max: 10_000, maxRows: 100, maxElements: 20 };
const small = { max: 400, maxRows: 10, maxElements: 20 };

const parser = unified().use(remarkParse).use(remarkGfm).freeze();
const nodesOf = <T extends Nodes['type']>(markdown: string, type: T): Extract<Nodes, { type: T }>[] => {
  const found: Nodes[] = [];
  const visit = (node: Nodes) => {
    if (node.type === type) found.push(node);
    if ('children' in node) node.children.forEach(visit);
  };
  visit(parser.parse(markdown));
  return found as Extract<Nodes, { type: T }>[];
};
const visible = (text: string) => text.replace(/\s/g, '');
const lineOf = (length: number, start = '') => `${start}${'word '.repeat(length / 5)}`.slice(0, length);
const codeOf = (parts: MarkdownPart[]) => parts.flatMap(({ text }) => nodesOf(text, 'code'));

function expectComplete(text: string, parts: MarkdownPart[], max: number) {
  expect(parts.map(({ source }) => source).join('')).toBe(text);
  let at = 0;
  for (const part of parts) {
    expect(part.text.length).toBeLessThanOrEqual(max);
    expect(visible(part.text)).toContain(visible(part.source));
    if (text.isWellFormed()) expect(part.text.isWellFormed()).toBe(true);
    expect(isCharacterBoundary(text, at)).toBe(true);
    at += part.source.length;
  }
}

const word = fc.oneof(
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }),
  fc.constantFrom('plan', '**bold**', '`code`', '[1]', '[link](https://example.org)', '👩‍👩‍👧‍👦', 'é', '🇪🇺', '|', '```'),
);
const line = fc.array(word, { minLength: 1, maxLength: 40 }).map((words) => words.join(' '));
const row = fc.array(fc.constantFrom('1', 'a cell', '👍', '`x`'), { minLength: 3, maxLength: 3 });
const block = fc.oneof(
  line,
  fc.array(line, { maxLength: 4 }).map((lines) => lines.map((text) => `- ${text}\n    - nested\n`).join('')),
  line.map((text) => `## ${text}`),
  fc.array(line, { maxLength: 30 }).map((lines) => `\`\`\`ts\n${lines.map((text) => `  ${text}`).join('\n')}\n\`\`\``),
  fc
    .array(row, { maxLength: 40 })
    .map((rows) => `| a | b | c |\n|---|:-:|--:|\n${rows.map((cells) => `| ${cells.join(' | ')} |`).join('\n')}`),
  fc.string({ unit: 'binary', maxLength: 900 }),
  fc.constantFrom('---', '> quoted\n> again', '1.  item\n\n    ```sh\n    npm start\n    ```\n', '   ', '```\nopen'),
);
const markdown = fc.array(block, { maxLength: 12 }).map((blocks) => blocks.join('\n\n'));

describe('split Markdown', () => {
  it('loses, repeats and cuts apart no character, and keeps the limit', () => {
    fc.assert(
      fc.property(markdown, fc.integer({ min: 400, max: 1_500 }), (text, max) =>
        expectComplete(text, splitMarkdown(text, { ...small, max }), max),
      ),
      { numRuns: 300 },
    );
  });

  it('leaves a short text as it is', () => {
    const text = '# Title\n\nText with a list:\n\n- one\n- two\n\n```js\n1\n```\n';
    expect(splitMarkdown(text, limits)).toEqual([{ source: text, text }]);
    expect(splitMarkdown('', limits)).toEqual([]);
  });

  it('keeps code whole where it fits into a message', () => {
    const code = `\`\`\`sql\n${'select 1;\n'.repeat(800)}\`\`\`\n`;
    const parts = splitMarkdown(`${`${lineOf(300)}\n\n`.repeat(15)}${code}\nAfter it.`, limits);
    expect(parts).toHaveLength(2);
    expect(parts[1]!.text).toBe(`${code}\nAfter it.`);
  });

  it('splits long code at lines, with the fence repeated', () => {
    const lines = Array.from({ length: 900 }, (_, at) => `  const value${at} = compute(${at});`);
    const parts = splitMarkdown(`Before.\n\n\`\`\`ts title\n${lines.join('\n')}\n\`\`\`\n\nAfter.`, limits);
    expect(parts.length).toBeGreaterThan(2);
    const code = codeOf(parts);
    expect(code).toHaveLength(parts.length);
    expect(code.map(({ value }) => value).join('\n')).toBe(lines.join('\n'));
    expect(code.every(({ lang }) => lang === 'ts')).toBe(true);
    expect(parts.at(-1)!.text.endsWith('```\n\nAfter.')).toBe(true);
  });

  it('splits a line of code that is longer than a message', () => {
    const long = 'x'.repeat(20_000);
    const parts = splitMarkdown(`\`\`\`\n${long}\n\`\`\`\n`, limits);
    expect(
      codeOf(parts)
        .map(({ value }) => value)
        .join(''),
    ).toBe(long);
    expectComplete(`\`\`\`\n${long}\n\`\`\`\n`, parts, limits.max);
  });

  it('splits a long table at rows, with the header repeated', () => {
    const rows = Array.from({ length: 330 }, (_, at) => `| ${at} | ${lineOf(80)} |`);
    const parts = splitMarkdown(`| n | text |\n|--:|------|\n${rows.join('\n')}\n`, limits);
    expect(parts.length).toBeGreaterThan(3);
    const tables = parts.map(({ text }) => nodesOf(text, 'table'));
    expect(tables.every((found) => found.length === 1)).toBe(true);
    const bodies = tables.flatMap(([table]) => table!.children.slice(1));
    expect(bodies).toHaveLength(330);
    expect(tables.every(([table]) => table!.align?.[0] === 'right')).toBe(true);
    expect(parts.every(({ text }) => text.startsWith('| n | text |\n|--:|------|\n|'))).toBe(true);
  });

  it('gives a part of a table no more rows than Slack takes', () => {
    const text = `|a|b|\n|-|-|\n${'|1|2|\n'.repeat(250)}`;
    const counts = splitMarkdown(text, limits).map((part) => nodesOf(part.text, 'tableRow').length);
    expect(counts).toEqual([101, 101, 51]);
  });

  it('puts no heading at the end of a part', () => {
    const text = `${lineOf(9_900)}\n\n## Next\n\n${lineOf(500)}\n`;
    expect(splitMarkdown(text, limits)[1]!.text.startsWith('## Next\n\nword')).toBe(true);
  });

  it('starts a part with an item of a list', () => {
    const items = Array.from({ length: 100 }, (_, at) => `${at + 1}. ${lineOf(180)}\n   - ${lineOf(40)}\n`);
    for (const { text } of splitMarkdown(items.join(''), limits)) expect(text).toMatch(/^\d+\. word/);
  });

  it('makes no code of the rest of an item, and keeps its own code', () => {
    const item = `- ${lineOf(9_980)}\n\n      ${lineOf(60)}\n\n      \`\`\`\n      a\n        b\n      \`\`\`\n\n${lineOf(40)}\n`;
    const parts = splitMarkdown(item, limits);
    const code = nodesOf(parts[1]!.text, 'code');
    expect(code.map(({ value }) => value)).toEqual(['a\n  b']);
    expectComplete(item, parts, limits.max);
  });

  it('closes long code inside of a list and of a quote in each part', () => {
    const lines = Array.from({ length: 600 }, (_, at) => `step ${at} ${lineOf(20)}`.trim());
    const inList = `1.  Do:\n\n    \`\`\`sh\n${lines.map((text) => `    ${text}\n`).join('')}    \`\`\`\n\n    Done.\n`;
    const inQuote = `> \`\`\`sh\n${lines.map((text) => `> ${text}\n`).join('')}> \`\`\`\n\nDone.\n`;
    for (const text of [inList, inQuote]) {
      const parts = splitMarkdown(text, limits);
      expect(parts.length).toBeGreaterThan(1);
      expect(
        codeOf(parts)
          .map(({ value }) => value)
          .join('\n'),
      ).toBe(lines.join('\n'));
      expectComplete(text, parts, limits.max);
    }
  });

  it('cuts prose at a line, a sentence or a word', () => {
    expect(splitMarkdown(`${'A sentence. '.repeat(1_000)}`, limits)[0]!.text).toMatch(/sentence\. $/);
    expect(splitMarkdown('word '.repeat(4_000), limits)[0]!.text).toMatch(/word $/);
    expect(splitMarkdown('line\n'.repeat(4_000), limits)[0]!.text).toMatch(/line\n$/);
  });

  it('counts what Slack makes a block of', () => {
    const parts = splitMarkdown('# Heading\n\nText.\n\n'.repeat(60), limits);
    expect(parts.map(({ text }) => nodesOf(text, 'heading').length)).toEqual([20, 20, 20]);
  });

  it.each([
    ['10,000 backticks', '`'.repeat(10_000)],
    ['lines of backticks', '```\n'.repeat(7_500)],
    ['deep quotes', '>'.repeat(30_000)],
    ['deep lists', '- '.repeat(15_000)],
    ['a staircase', Array.from({ length: 240 }, (_, at) => `${' '.repeat(at)}- a`).join('\n')],
    ['a table of 30,000 characters', `|a|b|\n|-|-|\n${'|1|2|\n'.repeat(5_000)}`],
    ['a header of 20,000 characters', `|${'a|'.repeat(10_000)}\n|${'-|'.repeat(10_000)}\n|1|`],
    ['a line of 20,000 characters', 'x'.repeat(20_000)],
    ['spaces and a delimiter', `a|b\n${`${' '.repeat(1_990)}-|x\n`.repeat(15)}`],
    ['marks on one letter', `e${'\u0301'.repeat(30_000)}`],
    ['brackets', '['.repeat(30_000)],
    ['blank lines', '\n'.repeat(30_000)],
    ['emoji', '👩‍👩‍👧‍👦'.repeat(3_000)],
  ])('is fast with %s', (_, text) => {
    const parts = splitMarkdown(text, limits);
    expect(leastMs(() => splitMarkdown(text, limits))).toBeLessThan(2_000);
    expect(parts.map(({ source }) => source).join('')).toBe(text);
    for (const part of parts) expect(part.text.length).toBeLessThanOrEqual(limits.max);
    for (const part of parts) expect(part.text.isWellFormed()).toBe(true);
  });
});
