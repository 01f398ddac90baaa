import type { Root, RootContent } from 'mdast';
import remarkGfm from 'remark-gfm';
import remarkParse from 'remark-parse';
import { unified } from 'unified';
import { readHtmlFragment } from './html.ts';
import { markdownSlices } from './markdown-slices.ts';
import { refuseOnlyFrontMatter, splitFrontMatter, withFrontMatter } from './front-matter.ts';
import { withoutTemplateMarkup } from './template-markup.ts';
import { usableTitle } from '../usable-title.ts';
import { outlineOfTree } from '../chunks/outline-of-tree.ts';
import { readPlainText } from './plain-text.ts';
import type { Outline, Unit } from '../chunks/unit.ts';

/** A longer block is not prose. The Markdown parser would need a gigabyte of memory for it. */
const maxBlockCharacters = 250_000;

/**
 * Reads GitHub Flavored Markdown. The title comes from the front matter; HTML blocks are read as HTML, and template
 * markup is not text.
 *
 * @throws AlfredError `file_empty` when there is only front matter
 */
export function readMarkdown(name: string, text: string): Outline {
  const { front, rest } = splitFrontMatter(text);
  const units = [...markdownSlices(withoutTemplateMarkup(rest))].flatMap(unitsOfSlice);
  refuseOnlyFrontMatter(name, front, units);
  return { title: usableTitle(front?.title), units: withFrontMatter(units, front) };
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
