import { characterEnd } from './cut.ts';

/** A fence of code, as it is opened again and closed in another message. */
type Fence = {
  open: string;
  close: string;
  /** Closes it where its list began. */
  firstClose: string;
  /** White space before each line of the code. */
  indent: string;
};

/**
 * A piece of Markdown that stays in one message where it fits. `text` is a paragraph, or an item of a list with what
 * is in it. Blank lines belong to the block before them, but behind code and tables they are blocks of their own.
 */
export type MarkdownBlock = {
  kind: 'text' | 'heading' | 'rule' | 'table' | 'code' | 'blank';
  start: number;
  end: number;
  /** White space before each line. */
  indent: string;
  fence?: Fence;
};

type Line = { start: number; end: number; text: string };

// Lines beyond this are prose for certain, and expressions need not read them.
const longestMarkup = 400;
const fenceLine = /^((?:[ \t]*>)*)([ \t]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)*)(`{3,24}|~{3,24})(?!`)([^`]*)$/;
const headingLine = /^ {0,3}#{1,6}(?:[ \t]|$)/;
const ruleLine = /^ {0,3}(?:(?:-[ \t]*){3,}|(?:\*[ \t]*){3,}|(?:_[ \t]*){3,})$/;
const itemLine = /^(?:[-*+]|\d{1,9}[.)])[ \t]/;
const delimiterLine = /^\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?$/;

const isBlank = ({ text }: Line) => text.trim() === '';
const matches = (pattern: RegExp, { text }: Line) => text.length <= longestMarkup && pattern.test(text);
const indentOf = ({ text }: Line) => /^[ \t]*/.exec(text)![0];

function linesOf(text: string): Line[] {
  const lines: Line[] = [];
  for (let start = 0; start < text.length;) {
    const newline = text.indexOf('\n', start);
    const end = newline < 0 ? text.length : newline + 1;
    lines.push({ start, end, text: text.slice(start, end).trimEnd() });
    start = end;
  }
  return lines;
}

/** The blocks of a Markdown text, without a gap. Linear in its length; a full parser takes seconds for deep nesting. */
export function markdownBlocks(text: string): MarkdownBlock[] {
  const lines = linesOf(text);
  const blocks: MarkdownBlock[] = [];
  for (let at = 0; at < lines.length;) {
    const line = lines[at]!;
    const next = readBlock(lines, at);
    let end = next.end;
    if (next.kind !== 'code' && next.kind !== 'table') while (end < lines.length && isBlank(lines[end]!)) end++;
    blocks.push({ ...next, start: line.start, end: lines[end - 1]!.end, indent: next.fence?.indent ?? indentOf(line) });
    at = end;
  }
  return blocks;
}

/** @returns the block that starts at a line; `end` is the number of the line behind it */
function readBlock(lines: Line[], at: number): Pick<MarkdownBlock, 'kind' | 'fence'> & { end: number } {
  const line = lines[at]!;
  if (isBlank(line)) return { kind: 'blank', end: at + 1 };
  const fence = readFence(lines, at);
  if (fence) return { kind: 'code', ...fence };
  if (startsTable(lines, at)) return { kind: 'table', end: endOfTable(lines, at) };
  if (matches(headingLine, line)) return { kind: 'heading', end: at + 1 };
  if (matches(ruleLine, line)) return { kind: 'rule', end: at + 1 };
  let end = at + 1;
  while (end < lines.length && !isBlank(lines[end]!) && !interrupts(lines, end)) end++;
  return { kind: 'text', end };
}

const interrupts = (lines: Line[], at: number) =>
  [fenceLine, headingLine, itemLine].some((pattern) => matches(pattern, lines[at]!)) || startsTable(lines, at);

/** Whether the line has nothing but the characters of the marker, at least as many. */
const closes = (content: string, marker: string) =>
  content.startsWith(marker) && content === marker.charAt(0).repeat(content.length);

function readFence(lines: Line[], at: number): { fence: Fence; end: number } | undefined {
  const opening = lines[at]!.text.length <= longestMarkup ? fenceLine.exec(lines[at]!.text) : null;
  if (!opening) return undefined;
  const [, quote = '', indent = '', marker = '', info = ''] = opening;
  const prefix = quote === '' ? '' : `${quote.trimStart()} `;
  const space = indent.replace(/[^ \t]/g, ' ');
  const fence = {
    open: `${prefix}${marker}${info.slice(0, characterEnd(info, 0, 60))}\n`,
    close: `${prefix}${marker}`,
    firstClose: `${quote}${space}${marker}`,
    indent: space,
  };
  for (let end = at + 1; end < lines.length; end++) {
    const { text } = lines[end]!;
    if (quote !== '' && !/^[ \t]*>/.test(text)) return { fence, end };
    const inner = quote === '' ? text : text.replace(/^(?:[ \t]*>)+/, '');
    const content = inner.trimStart();
    if (inner.length - content.length <= indent.length + 3 && closes(content, marker)) return { fence, end: end + 1 };
  }
  return { fence, end: lines.length };
}

const cellCount = (row: string) =>
  row
    .replace(/^[ \t>]*\|?/, '')
    .replace(/\|$/, '')
    .replace(/\\\|/g, '')
    .split('|').length;

function startsTable(lines: Line[], at: number): boolean {
  const [header, delimiter] = [lines[at]!, lines[at + 1]];
  if (!delimiter?.text.includes('-') || !header.text.includes('|')) return false;
  if (header.text.length > 2_000 || delimiter.text.length > 2_000) return false;
  return (
    delimiterLine.test(delimiter.text.replace(/^[ \t>]+/, '')) && cellCount(header.text) === cellCount(delimiter.text)
  );
}

function endOfTable(lines: Line[], at: number): number {
  let end = at + 2;
  const isRow = (line: Line) =>
    !isBlank(line) && ![fenceLine, headingLine, itemLine, ruleLine].some((pattern) => matches(pattern, line));
  while (end < lines.length && isRow(lines[end]!)) end++;
  return end;
}
