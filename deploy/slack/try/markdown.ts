import type { Nodes } from 'mdast';
import remarkGfm from 'remark-gfm';
import remarkParse from 'remark-parse';
import { unified } from 'unified';
import { element, link, type Shown } from './shown.ts';

const parser = unified().use(remarkParse).use(remarkGfm).freeze();

/** Markdown as the page shows it. HTML in it is shown as it is written. */
export const showMarkdown = (text: string): Shown[] => childrenOf(parser.parse(text));

const childrenOf = (node: Nodes): Shown[] => ('children' in node ? node.children.map(showNode) : []);

function showNode(node: Nodes): Shown {
  const children = childrenOf(node);
  switch (node.type) {
    case 'text':
    case 'html':
      return node.value;
    case 'paragraph':
      return element('p', children);
    case 'heading':
      return element('h4', children);
    case 'strong':
      return element('strong', children);
    case 'emphasis':
      return element('em', children);
    case 'delete':
      return element('del', children);
    case 'inlineCode':
      return element('code', [node.value]);
    case 'code':
      return element('pre', [node.value]);
    case 'blockquote':
      return element('blockquote', children);
    case 'list':
      return element(node.ordered ? 'ol' : 'ul', children);
    case 'listItem':
      return element('li', [...(node.checked == null ? [] : [node.checked ? '☑ ' : '☐ ']), ...children]);
    case 'link':
      return link(node.url, children);
    case 'image':
      return link(node.url, [`[image: ${node.alt ?? ''}]`]);
    case 'table':
      return element('table', children.map(asHeaderFirst));
    case 'tableRow':
      return element('tr', children);
    case 'tableCell':
      return element('td', children);
    case 'thematicBreak':
      return element('hr', []);
    case 'break':
      return element('br', []);
    case 'footnoteReference':
    case 'definition':
      return `[${node.label ?? node.identifier}]${node.type === 'definition' ? `: ${node.url}` : ''}`;
    default:
      return element('span', children);
  }
}

/** The cells of the first row are those of the header. */
function asHeaderFirst(row: Shown, index: number): Shown {
  if (index > 0 || typeof row === 'string') return row;
  const asHeader = (cell: Shown) => (typeof cell === 'string' ? cell : { ...cell, tag: 'th' as const });
  return { ...row, children: row.children.map(asHeader) };
}
