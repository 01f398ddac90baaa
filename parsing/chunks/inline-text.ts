import type { Nodes, RootContent } from 'mdast';

/** The text of inline Markdown nodes, without markup, link addresses and HTML tags. Hard line breaks are kept. */
export const inlineText = (nodes: readonly (Nodes | RootContent)[]): string =>
  nodes
    .map(nodeText)
    .join('')
    .replace(/[^\S\n]+/g, ' ')
    .replace(/ ?\n ?/g, '\n')
    .trim();

function nodeText(node: Nodes): string {
  switch (node.type) {
    case 'text':
      return node.value.replace(/\s+/g, ' ');
    case 'inlineCode':
      return node.value;
    case 'break':
      return '\n';
    case 'html':
      return /^<br\b/i.test(node.value) ? '\n' : '';
    case 'image':
    case 'imageReference':
      return node.alt ?? '';
    default:
      return 'children' in node ? node.children.map(nodeText).join('') : '';
  }
}
