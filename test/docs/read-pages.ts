import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Code, InlineCode, Link, Node, Parent, Text } from 'mdast';
import remarkGfm from 'remark-gfm';
import remarkParse from 'remark-parse';
import { unified } from 'unified';

export const root = fileURLToPath(new URL('../../', import.meta.url));

export type Block = {
  language: string;
  /** The rest of the info string: the schema of a JSON block, for example. */
  info: string;
  text: string;
  line: number;
  /** The reason in `<!-- not run: … -->` right before the block. */
  notRun?: string;
};
export type Page = {
  path: string;
  blocks: Block[];
  links: { url: string; line: number }[];
  /** The text of each `code span`. */
  spans: { text: string; line: number }[];
  /** What a reader reads as sentences: no code, no addresses. */
  prose: { text: string; line: number }[];
  anchors: Set<string>;
};

/** Every page that people read. The change log tells what was, so its names need not exist any more. */
export const pagePaths = () => [
  ...globSync('*.md', { cwd: root }).filter((path) => path !== 'CHANGELOG.md'),
  'client/README.md',
  ...globSync('docs/**/*.md', { cwd: root }).filter((path) => !path.startsWith('docs/examples/')),
];

export const readPages = (): Page[] => pagePaths().toSorted().map(readPage);

function readPage(path: string): Page {
  const page: Page = { path, blocks: [], links: [], spans: [], prose: [], anchors: new Set() };
  const tree = unified()
    .use(remarkParse)
    .use(remarkGfm)
    .parse(readFileSync(join(root, path), 'utf8'));
  const visit = (node: Node, before?: Node) => {
    const line = node.position?.start.line ?? 0;
    if (node.type === 'code') page.blocks.push(blockOf(node as Code, line, before));
    if (node.type === 'link' || node.type === 'image') page.links.push({ url: (node as Link).url, line });
    if (node.type === 'inlineCode') page.spans.push({ text: (node as InlineCode).value, line });
    if (node.type === 'text') page.prose.push({ text: (node as Text).value, line });
    if (node.type === 'heading') addAnchor(page.anchors, textOf(node));
    const children: Node[] = 'children' in node ? (node as Parent).children : [];
    for (const [index, child] of children.entries()) visit(child, children[index - 1]);
  };
  visit(tree);
  return page;
}

function blockOf({ lang, meta, value }: Code, line: number, before?: Node): Block {
  const comment = before?.type === 'html' ? (before as Text).value : '';
  const notRun = /^<!-- not run: (.+) -->$/s.exec(comment)?.[1];
  return { language: lang ?? '', info: meta ?? '', text: value, line, ...(notRun ? { notRun } : {}) };
}

const textOf = (node: Node): string =>
  'children' in node
    ? (node as Parent).children.map(textOf).join('')
    : 'value' in node
      ? String((node as Text).value)
      : '';

/** Adds a heading's anchor as GitHub makes it: a second heading of the same words gets a number. */
function addAnchor(anchors: Set<string>, heading: string): void {
  const words = heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replaceAll(' ', '-');
  let anchor = words;
  for (let number = 1; anchors.has(anchor); number++) anchor = `${words}-${number}`;
  anchors.add(anchor);
}
