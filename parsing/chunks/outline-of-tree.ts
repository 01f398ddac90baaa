import type { List, ListItem, Root, RootContent, Table } from 'mdast';
import { inlineText } from './inline-text.ts';
import { singleLine } from '../normalise.ts';
import { tableTexts } from './document-table.ts';
import { body, type Unit } from './unit.ts';

declare module 'mdast' {
  interface TableData {
    /** The rows as texts, for tables with merged cells, which Markdown does not have. */
    texts?: string[];
  }
}

/** Converts a Markdown syntax tree to headings and pieces, in reading order. */
export const outlineOfTree = (root: Root): Unit[] => unitsOf(root.children);

const unitsOf = (nodes: readonly RootContent[]): Unit[] => nodes.flatMap(unitsOfNode);

function unitsOfNode(node: RootContent): Unit[] {
  switch (node.type) {
    case 'heading':
      return [{ kind: 'heading', depth: node.depth, text: singleLine(inlineText(node.children)), page: null }];
    case 'list':
      // Web pages wrap whole sections in lists. A list with a heading inside an item is read as such sections.
      if (node.children.some((item) => item.children.some((child) => child.type === 'heading')))
        return node.children.flatMap((item) => unitsOf(item.children));
      return node.children
        .map((item, index) => itemText(node, item, index))
        .filter(Boolean)
        .map((text, index) => body(text, { tight: index > 0 }));
    case 'table':
      return rowTexts(node).map((text, index) => body(text, { tight: index > 0 }));
    case 'blockquote':
    case 'footnoteDefinition':
      return unitsOf(node.children);
    case 'paragraph':
      return isBadges(node.children) ? [] : [body(blockText(node))];
    default:
      return [body(blockText(node))];
  }
}

/** A paragraph of pictures with links: badges, and pictures that can be enlarged. */
const isBadges = (children: readonly RootContent[]): boolean =>
  children.some(({ type }) => type === 'link' || type === 'linkReference') &&
  children.every((child) => {
    if (child.type === 'text') return child.value.trim() === '';
    if (child.type === 'link' || child.type === 'linkReference')
      return (
        child.children.length > 0 && child.children.every(({ type }) => type === 'image' || type === 'imageReference')
      );
    return child.type === 'image' || child.type === 'imageReference' || child.type === 'break';
  });

/** Empty for an item without text, which pages have around pictures. */
function itemText(list: List, item: ListItem, index: number): string {
  const marker = list.ordered ? `${(list.start ?? 1) + index}. ` : '- ';
  const box = item.checked === true ? '[x] ' : item.checked === false ? '[ ] ' : '';
  const text = item.children.map(blockText).filter(Boolean).join('\n').replaceAll('\n', '\n  ');
  return text && marker + box + text;
}

/** A table of Markdown marks its header, which may be empty. Those of web pages and of Word are texts already. */
const rowTexts = (table: Table): string[] =>
  table.data?.texts ??
  tableTexts(
    table.children.map((row) => row.children.map((cell) => singleLine(inlineText(cell.children)))),
    true,
  );

/** The text of a block, with its list items and table rows on lines of their own. */
export function blockText(node: RootContent): string {
  switch (node.type) {
    case 'code':
      return node.value;
    case 'list':
      return node.children
        .map((item, index) => itemText(node, item, index))
        .filter(Boolean)
        .join('\n');
    case 'table':
      return rowTexts(node).join('\n');
    case 'blockquote':
    case 'footnoteDefinition':
      return node.children.map(blockText).filter(Boolean).join('\n');
    case 'html':
    case 'definition':
    case 'thematicBreak':
    case 'yaml':
      return '';
    default:
      return inlineText([node]);
  }
}
