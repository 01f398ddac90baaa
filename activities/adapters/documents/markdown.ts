import type { Root, RootContent } from 'mdast';
import remarkGfm from 'remark-gfm';
import remarkParse from 'remark-parse';
import { unified } from 'unified';
import { readHtmlFragment } from './html.ts';
import { singleLine } from './normalise.ts';
import { outlineOfTree } from './outline-of-tree.ts';
import type { Outline } from './unit.ts';

const frontMatter = /^\uFEFF?---[^\S\n]*\r?\n([\s\S]*?)\r?\n(?:---|\.\.\.)[^\S\n]*(?:\r?\n|$)/;

/** Markdown as GitHub reads it; front matter gives the title, HTML blocks are read as HTML. */
export function readMarkdown(text: string): Outline {
  const front = frontMatter.exec(text);
  const isFrontMatter = front?.[1] !== undefined && /^[\w-]+[^\S\n]*:/m.test(front[1]);
  const tree = unified().use(remarkParse).use(remarkGfm).parse(isFrontMatter ? text.slice(front[0].length) : text);
  const title = isFrontMatter ? /^title[^\S\n]*:[^\S\n]*(.+)$/m.exec(front[1] ?? '')?.[1]?.replace(/^(["'])(.*)\1\s*$/, '$2') : undefined;
  return { title: title && singleLine(title), units: outlineOfTree(withHtmlRead(tree)) };
}

const withHtmlRead = (tree: Root): Root => ({ ...tree, children: tree.children.flatMap((node): RootContent[] => (node.type === 'html' ? readHtmlFragment(node.value).children : [node])) });
