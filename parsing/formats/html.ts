import type { Element, ElementContent, Root as HtmlRoot, RootContent } from 'hast';
import type { Root } from 'mdast';
import rehypeParse from 'rehype-parse';
import rehypeRemark from 'rehype-remark';
import { unified } from 'unified';
import { convertTable } from './html-tables.ts';
import { createReadableTest } from './html-boilerplate.ts';
import { singleLine } from '../normalise.ts';
import { outlineOfTree } from '../chunks/outline-of-tree.ts';
import type { Outline, Unit } from '../chunks/unit.ts';
import { refuseOnlyFrontMatter, splitFrontMatter, withFrontMatter } from './front-matter.ts';
import { withoutTemplateMarkup } from './template-markup.ts';
import { usableTitle } from '../usable-title.ts';

/**
 * Reads an HTML page: its main part if it is marked, without navigation, scripts and hidden elements. Panels that are
 * folded until a click are read, with the buttons that open them.
 *
 * A library that guesses the readable part (@mozilla/readability 0.6 with linkedom) was tried and rejected: of 60
 * manual pages, it silently dropped a third or more of 16. These rules keep 99 % of the words of the library's own 130
 * test pages. Half of the test pages without <main> or <article> keep less than 10 % of words from outside the article.
 */
export function readHtml(html: string): Outline {
  const page = unified().use(rehypeParse).parse(html);
  const titleElement = find(page, 'title');
  const units = outlineOfTree(toMarkdownTree(page));
  const title = usableTitle(titleElement && rawText(titleElement));
  return { title: title && withoutSiteName(title, units), units };
}

/**
 * Reads the file of an HTML page, which may be the source of one: with front matter and template markup.
 *
 * @throws AlfredError `file_empty` when there is only front matter
 */
export function readHtmlFile(name: string, text: string): Outline {
  const { front, rest } = splitFrontMatter(text);
  const page = readHtml(front ? withoutTemplateMarkup(rest) : text);
  refuseOnlyFrontMatter(name, front, page.units);
  return { title: usableTitle(front?.title) ?? page.title, units: withFrontMatter(page.units, front) };
}

/** "Leave – Handbook" and "Acme | Leave" become "Leave" when that is a heading of the page. */
function withoutSiteName(title: string, units: Unit[]): string {
  const headings = new Set(units.flatMap((unit) => (unit.kind === 'heading' ? [unit.text] : [])));
  const [first = '', ...others] = title.split(/\s+[|\u2013\u2014\u00b7\u00bb:-]\s+/);
  return [first, others.at(-1) ?? ''].find((part) => headings.has(part)) ?? title;
}

/** Converts HTML inside another format to a Markdown tree. */
export const readHtmlFragment = (html: string): Root =>
  toMarkdownTree(unified().use(rehypeParse, { fragment: true }).parse(html));

function toMarkdownTree(page: HtmlRoot): Root {
  return unified()
    .use(rehypeRemark, { handlers: { table: convertTable } })
    .runSync({ type: 'root', children: readableNodes(page) });
}

/** Below this share of a page's text, what is marked as the main part is not. */
const minMainShare = 0.3;

/** The main part if it is marked and holds the text, else the page, else the page with its footer. */
function readableNodes(page: HtmlRoot): HtmlRoot['children'] {
  const isReadable = createReadableTest(page);
  const whole = page.children.flatMap((node) => withoutBoilerplate(node, isReadable));
  const withFooter = page.children.flatMap((node) =>
    withoutBoilerplate(node, (element) => element.tagName === 'footer' || isReadable(element)),
  );
  if (textLength(whole) < textLength(withFooter) * minMainShare) return withFooter;
  const main = find(page, 'main') ?? onlyOne(page, 'article');
  const part = main ? withoutBoilerplate(main, isReadable) : [];
  return textLength(part) > 0 && textLength(part) >= textLength(whole) * minMainShare ? part : whole;
}

/** The length of the text outside of links: lists of links are not what a page is about. */
const textLength = (nodes: readonly (RootContent | ElementContent)[]): number =>
  nodes.reduce((sum, node) => {
    if (node.type === 'text') return sum + singleLine(node.value).length;
    const isText = node.type === 'element' && node.tagName !== 'a' && node.tagName !== 'title';
    return isText ? sum + textLength(node.children) : sum;
  }, 0);

/** A table cell becomes one line. A break after each of these keeps the words of its paragraphs apart. */
const blockTags = /^(?:p|div|li|h[1-6]|ul|ol|dl|dt|dd|pre|blockquote|tr|section|article)$/;

const lineBreak: Element = { type: 'element', tagName: 'br', properties: {}, children: [] };

function withoutBoilerplate<T extends RootContent | ElementContent>(
  node: T,
  isReadable: (element: Element) => boolean,
  inCell = false,
): (T | Element)[] {
  if (node.type !== 'element') return node.type === 'comment' ? [] : [node];
  if (!isReadable(node) || isMarkLink(node)) return [];
  const cell = inCell || node.tagName === 'td' || node.tagName === 'th';
  const children = node.children.flatMap((child) => withoutBoilerplate(child, isReadable, cell));
  // In the Markdown tree a button would be a control. One that opens a panel is its title.
  const tagName = node.tagName === 'button' ? 'span' : node.tagName;
  const kept = { ...node, tagName, children };
  return inCell && blockTags.test(node.tagName) ? [kept, lineBreak] : [kept];
}

/** A link to the heading that it stands in, or from a footnote back to its place: it shows only a sign. */
const isMarkLink = (node: Element) =>
  node.tagName === 'a' &&
  node.children.length > 0 &&
  node.children.every((child) => child.type === 'text' && /^[\s¶#§↩↑⏎\ufe0e\ufe0f🔗]*$/u.test(child.value)) &&
  /\S/.test(rawText(node));

function* elements(node: HtmlRoot | Element, tagName: string): Generator<Element, undefined> {
  for (const child of node.children) {
    if (child.type !== 'element') continue;
    if (child.tagName === tagName) yield child;
    yield* elements(child, tagName);
  }
}
const find = (node: HtmlRoot, tagName: string): Element | undefined => elements(node, tagName).next().value;

function onlyOne(node: HtmlRoot, tagName: string): Element | undefined {
  const matches = [...elements(node, tagName)];
  return matches.length === 1 ? matches[0] : undefined;
}

/** The text that stands in an element itself. In a title the HTML parser allows no elements. */
const rawText = ({ children }: Element) => children.map((child) => (child.type === 'text' ? child.value : '')).join('');
