import type { List, ListItem, Root, RootContent, Table } from 'mdast';
import { inlineText } from './inline-text.ts';
import { singleLine } from './normalise.ts';
import { body, type Unit } from './unit.ts';

/** A Markdown syntax tree as headings and pieces, in reading order. */
export const outlineOfTree = (root: Root): Unit[] => unitsOf(root.children);

const unitsOf = (nodes: readonly RootContent[]): Unit[] => nodes.flatMap(unitsOfNode);

function unitsOfNode(node: RootContent): Unit[] {
  switch (node.type) {
    case 'heading':
      return [{ kind: 'heading', depth: node.depth, text: singleLine(inlineText(node.children)), page: null }];
    case 'list':
      // Web pages wrap whole sections in lists; a heading in an item means structure, not an enumeration.
      if (node.children.some((item) => item.children.some((child) => child.type === 'heading')))
        return node.children.flatMap((item) => unitsOf(item.children));
      return node.children.map((item, index) => body(itemText(node, item, index), { tight: index > 0 }));
    case 'table':
      return rowTexts(node).map((text, index) => body(text, { tight: index > 0 }));
    case 'blockquote':
    case 'footnoteDefinition':
      return unitsOf(node.children);
    default:
      return [body(blockText(node))];
  }
}

function itemText(list: List, item: ListItem, index: number): string {
  const marker = list.ordered ? `${(list.start ?? 1) + index}. ` : '- ';
  const box = item.checked === true ? '[x] ' : item.checked === false ? '[ ] ' : '';
  return marker + box + item.children.map(blockText).filter(Boolean).join('\n').replaceAll('\n', '\n  ');
}

/**
 * Each row with its header, as in `Grade: L2; Limit: 50 EUR`, so that a row makes sense wherever a chunk begins and
 * a search finds it by both.
 */
function rowTexts(table: Table): string[] {
  const rows = table.children.map((row) => row.children.map((cell) => singleLine(inlineText(cell.children))));
  const [head = [], ...rest] = rows.filter((row) => row.some(Boolean));
  const isMarked = rows[0]?.some(Boolean) === true;
  if (rest.length === 0 || !(isMarked || looksLikeHeader(head, rest))) {
    return [head, ...rest].map((row) => row.filter(Boolean).join(' | '));
  }
  return rest.map((row) =>
    row
      .map((value, column) => (head[column] && value ? `${head[column]}: ${value}` : value))
      .filter(Boolean)
      .join('; '),
  );
}

/** Word marks no header. Two columns may as well be names and values, so only wider tables are taken to have one. */
const looksLikeHeader = (head: string[], rest: string[][]) =>
  head.length >= 3 && head.every((name) => /^\D{1,40}$/.test(name)) && rest.every((row) => row.length === head.length);

function blockText(node: RootContent): string {
  switch (node.type) {
    case 'code':
      return node.value;
    case 'list':
      return node.children.map((item, index) => itemText(node, item, index)).join('\n');
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
