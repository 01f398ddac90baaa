import type { Root, RootContent } from 'mdast';
import remarkGfm from 'remark-gfm';
import remarkParse from 'remark-parse';
import { unified } from 'unified';
import { readHtmlFragment } from './html.ts';
import { markdownSlices } from './markdown-slices.ts';
import { singleLine } from '../normalise.ts';
import { outlineOfTree } from '../chunks/outline-of-tree.ts';
import { readPlainText } from './plain-text.ts';
import type { Outline, Unit } from '../chunks/unit.ts';

const frontMatter = /^\uFEFF?---[^\S\n]*\r?\n([\s\S]*?)\r?\n(?:---|\.\.\.)[^\S\n]*(?:\r?\n|$)/;

/** A longer block is not prose. The Markdown parser would need a gigabyte of memory for it. */
const maxBlockCharacters = 250_000;

/** Reads GitHub Flavored Markdown. The title comes from the front matter; HTML blocks are read as HTML. */
export function readMarkdown(text: string): Outline {
  const [whole, front] = frontMatter.exec(text) ?? [];
  const isFrontMatter = front !== undefined && /^[\w-]+[^\S\n]*:/m.test(front);
  const title = isFrontMatter
    ? /^title[^\S\n]*:[^\S\n]*(.+)$/m.exec(front)?.[1]?.replace(/^(["'])(.*)\1\s*$/, '$2')
    : undefined;
  const markdown = isFrontMatter ? text.slice(whole?.length) : text;
  return { title: title && singleLine(title), units: [...markdownSlices(markdown)].flatMap(unitsOfSlice) };
}

function unitsOfSlice(slice: string): Unit[] {
  if (slice.length > maxBlockCharacters) return readPlainText(slice).units;
  return outlineOfTree(readHtmlBlocks(unified().use(remarkParse).use(remarkGfm).parse(slice)));
}

const readHtmlBlocks = (tree: Root): Root => ({
  ...tree,
  children: tree.children.flatMap((node): RootContent[] =>
    node.type === 'html' ? readHtmlFragment(node.value).children : [node],
  ),
});
