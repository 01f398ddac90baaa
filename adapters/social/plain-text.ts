import type { Nodes } from 'hast';
import rehypeParse from 'rehype-parse';
import { unified } from 'unified';

const parser = unified().use(rehypeParse, { fragment: true });

/** Longer HTML is cut before it is parsed. */
const maxHtml = 50_000;

/** What no reader sees. */
const hidden = new Set(['script', 'style', 'template', 'noscript', 'iframe', 'object', 'svg']);
/** A space stands between the texts of these and what comes before. */
const blocks = /^(p|div|br|li|ul|ol|h[1-6]|tr|td|th|blockquote|pre|hr|section|article|table|figure|img)$/;

/** The text of a piece of HTML, on one line. */
export function plainText(html: string): string {
  if (!/[<&]/.test(html)) return oneLine(html);
  const parts: string[] = [];
  collect(parser.parse(html.slice(0, maxHtml).toWellFormed()), parts);
  return oneLine(parts.join(''));
}

function collect(node: Nodes, parts: string[]): void {
  if (node.type === 'text') parts.push(node.value);
  if (node.type !== 'element' && node.type !== 'root') return;
  if (node.type === 'element') {
    if (hidden.has(node.tagName)) return;
    if (blocks.test(node.tagName)) parts.push(' ');
  }
  for (const child of node.children) collect(child, parts);
}

/** Without control characters, and with one space where there was white space. */
export const oneLine = (text: string): string =>
  text
    .replace(/[\s\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]+/g, ' ')
    .trim()
    .toWellFormed();
