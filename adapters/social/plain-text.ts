import { decodeHTML } from 'entities';

/** Longer HTML is cut before it is read. */
const maxHtml = 50_000;

/** What no reader sees. */
const hidden = new Set(['script', 'style', 'template', 'noscript', 'iframe', 'object', 'svg']);
/** A space stands between the texts of these and what comes before. */
const blocks = /^(p|div|br|li|ul|ol|h[1-6]|tr|td|th|blockquote|pre|hr|section|article|table|figure|img)$/;

/**
 * The text of a piece of HTML, on one line. Tags are taken out in one pass and no tree is built: in the tree of a few
 * kilobytes from a hostile author there can be gigabytes, because each paragraph opens again what is not closed.
 */
export function plainText(html: string): string {
  if (!/[<&]/.test(html)) return oneLine(html);
  const parts: string[] = [];
  const text = html.slice(0, maxHtml);
  let at = 0;
  while (at < text.length) {
    const found = text.indexOf('<', at);
    const next = found === -1 ? text.length : found;
    if (next > at) parts.push(decodeHTML(text.slice(at, next)));
    at = next < text.length ? afterMarkup(text, next, parts) : next;
  }
  return oneLine(parts.join(''));
}

/** Name of a tag, at its `<`. */
const tagStart = /<(\/?)([a-z][^\s/>]*)/iy;

/** @returns where the text goes on after what begins with the `<` at `from` */
function afterMarkup(html: string, from: number, parts: string[]): number {
  if (html.startsWith('<!--', from)) return after(html, '-->', from + 2);
  if (/^<([!?]|\/[^a-z])/i.test(html.slice(from, from + 3))) return after(html, '>', from + 1);
  tagStart.lastIndex = from;
  const [start = '', slash, name = ''] = tagStart.exec(html) ?? [];
  if (start === '') {
    parts.push('<');
    return from + 1;
  }
  const tag = name.toLowerCase();
  if (blocks.test(tag)) parts.push(' ');
  const end = tagEnd(html, from + start.length);
  if (slash !== '' || !hidden.has(tag) || (tag === 'svg' && html[end - 2] === '/')) return end;
  const close = new RegExp(`</${tag}(?=[\\s/>])`, 'gi');
  close.lastIndex = end;
  const closing = close.exec(html);
  return closing ? tagEnd(html, closing.index + closing[0].length) : html.length;
}

function after(html: string, mark: string, from: number): number {
  const found = html.indexOf(mark, from);
  return found === -1 ? html.length : found + mark.length;
}

/** Where a tag ends: a `>` in the quotes of an attribute is none of its end. */
function tagEnd(html: string, from: number): number {
  const value = /=\s*(["'])|>/g;
  value.lastIndex = from;
  for (let found = value.exec(html); found; found = value.exec(html)) {
    const quote = found[1];
    if (quote === undefined) return value.lastIndex;
    const close = html.indexOf(quote, value.lastIndex);
    if (close === -1) break;
    value.lastIndex = close + 1;
  }
  return html.length;
}

/** Without control characters, and with one space where there was white space. */
export const oneLine = (text: string): string =>
  text
    .replace(/[\s\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]+/g, ' ')
    .trim()
    .toWellFormed();
