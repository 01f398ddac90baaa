import { characterEnd, proseEnd } from './cut.ts';
import { markdownBlocks, type MarkdownBlock } from './markdown-blocks.ts';

/** A part of a Markdown text, for one message. The sources of all parts, joined, are the text. */
export type MarkdownPart = {
  source: string;
  /**
   * What is shown: the source, between the header or fence that is opened again and the fence that is closed. White
   * space before lines is missing where the list around them stayed in an earlier part.
   */
  text: string;
};

type Limits = {
  /** Characters of a part. */
  max: number;
  /** Rows of a table. */
  maxRows: number;
  /** Headings, rules, tables and pieces of code: Slack makes a block of each, and one of what stands behind it. */
  maxElements: number;
};

type Draft = {
  before: string;
  source: string;
  after: string;
  elements: number;
  /** Where a heading begins that ends the source; -1 without one. */
  headingAt: number;
  /** White space before the lines of the block that goes on here. */
  indent: string;
};

const emptyDraft = (): Draft => ({ before: '', source: '', after: '', elements: 0, headingAt: -1, indent: '' });

/**
 * Splits Markdown into parts within the limits. Code and tables stay whole where they fit into one part; else they
 * are split at lines and rows, with fence or header repeated. A heading stays with what follows it.
 *
 * @param limits `max` is at least 400
 */
export function splitMarkdown(text: string, limits: Limits): MarkdownPart[] {
  const pen = createPen(limits);
  const blocks = markdownBlocks(text);
  // A text that is all headings and rules does not become hundreds of messages.
  const mostElements = limits.maxElements * (3 * Math.ceil(text.length / limits.max) + 3);
  const maxElements = blocks.filter(isElement).length > mostElements ? Infinity : limits.maxElements;
  for (const block of blocks) {
    const source = text.slice(block.start, block.end);
    const rows = block.kind === 'table' ? source.trimEnd().split('\n').length - 2 : 0;
    const fits = source.length <= limits.max && rows <= limits.maxRows;
    if (isElement(block) && pen.elements() >= maxElements) pen.flush();
    if (fits) pen.makeRoom(source.length);
    const at = pen.length();
    if (fits) pen.append(source);
    else splitBlock(pen, block, source, limits);
    if (isElement(block)) pen.countElement();
    if (block.kind === 'heading') pen.markHeading(at);
  }
  return pen.end();
}

const isElement = ({ kind }: MarkdownBlock) => kind !== 'text' && kind !== 'blank';

type Pen = ReturnType<typeof createPen>;

/** Writes one part after the other. */
function createPen({ max }: Limits) {
  const parts: MarkdownPart[] = [];
  let draft = emptyDraft();
  const room = () => max - draft.before.length - draft.source.length;
  const flush = () => {
    // A heading at the end goes with what comes next.
    const moved = draft.headingAt > 0 ? draft.source.slice(draft.headingAt) : '';
    const kept = moved === '' ? draft.source : draft.source.slice(0, draft.headingAt);
    if (kept !== '') parts.push(finish({ ...draft, source: kept }));
    draft = { ...emptyDraft(), source: moved, elements: moved === '' ? 0 : 1 };
  };
  return {
    room,
    flush,
    /** Flushes until that many characters fit: once more where a heading was moved. */
    makeRoom(length: number) {
      for (let times = 0; times < 2 && room() < length; times++) flush();
    },
    append(source: string) {
      draft.source += source;
      draft.headingAt = -1;
    },
    /** Ends the part within a block, which goes on in the next one. */
    goOn({ open, close, firstClose, indent }: Frame) {
      const closing = draft.before === '' ? firstClose : close;
      const after = closing === '' ? '' : `${draft.source.endsWith('\n') ? '' : '\n'}${closing}`;
      draft.after = after;
      flush();
      draft.before = open;
      draft.indent = indent;
    },
    length: () => draft.source.length,
    elements: () => draft.elements,
    countElement() {
      draft.elements++;
    },
    markHeading(at: number) {
      draft.headingAt = at;
    },
    end() {
      draft.headingAt = -1;
      flush();
      return parts;
    },
  };
}

/** How a block that is too large is cut. */
type Frame = {
  /** The beginning, which is not cut: the line that opens the code, or the header of the table. */
  lead: string;
  /** What further parts begin with. */
  open: string;
  /** What ends a further part. */
  close: string;
  /** What ends the first part. */
  firstClose: string;
  indent: string;
  /** Most lines of a part; 0: the text is not cut at each line. */
  maxLines: number;
  endOf: typeof proseEnd;
};

function splitBlock(pen: Pen, block: MarkdownBlock, source: string, limits: Limits) {
  const frame = frameOf(block, source, limits);
  const { lead } = frame;
  const reserve = frame.close === '' ? 0 : Math.max(frame.close.length, frame.firstClose.length) + 1;
  const fresh = limits.max - frame.open.length - reserve;
  const firstLine = lineEnd(source, lead.length) - lead.length;
  pen.makeRoom(Math.max(limits.max / 4, lead.length + Math.min(firstLine, limits.max / 4) + reserve));
  pen.append(lead);
  let lines = 0;
  const goOn = () => {
    pen.goOn(frame);
    lines = 0;
  };
  for (let at = lead.length; at < source.length;) {
    const end = frame.maxLines === 0 ? source.length : lineEnd(source, at);
    // Behind the last line nothing is closed.
    const closing = end === source.length ? 0 : reserve;
    const isFull = frame.maxLines > 0 && lines === frame.maxLines;
    if (isFull || (end - at > pen.room() - closing && end - at <= fresh)) goOn();
    const to = end - at <= pen.room() - closing ? end : frame.endOf(source, at, pen.room() - reserve);
    pen.append(source.slice(at, to));
    lines++;
    if (to < end) goOn();
    at = to;
  }
}

const lineEnd = (text: string, at: number) => {
  const newline = text.indexOf('\n', at);
  return newline < 0 ? text.length : newline + 1;
};

function frameOf({ kind, fence, indent }: MarkdownBlock, source: string, { max, maxRows }: Limits): Frame {
  const code = kind === 'code' ? fence : undefined;
  const lead = source.slice(0, lineEnd(source, kind === 'table' ? lineEnd(source, 0) : 0));
  // What takes a quarter of a message is not repeated: such a block is cut like prose.
  if ((kind !== 'table' && !code) || lead.length + (code?.firstClose.length ?? 0) > max / 4)
    return { lead: '', open: '', close: '', firstClose: '', indent: '', maxLines: 0, endOf: proseEnd };
  return code
    ? { ...code, lead, maxLines: Infinity, endOf: characterEnd }
    : {
        lead,
        open: lead.replace(/^[ \t]+/gm, ''),
        close: '',
        firstClose: '',
        indent,
        maxLines: maxRows,
        endOf: characterEnd,
      };
}

function finish({ before, source, after, indent }: Draft): MarkdownPart {
  const text =
    before === '' ? dedent(`${source}${after}`, leadingSpace(source)) : `${before}${dedent(source, indent)}${after}`;
  return { source, text };
}

const leadingSpace = (text: string) => /^[ \t]*/.exec(text)![0];

/**
 * Takes away the indent of a list that stayed in an earlier part, up to the first line without it: four spaces would
 * make code of a paragraph, and text of a fence.
 */
function dedent(text: string, indent: string): string {
  if (indent.length < 4 && !indent.includes('\t')) return text;
  const lines = text.split('\n');
  const end = lines.findIndex((line) => line.trim() !== '' && !line.startsWith(indent));
  return lines
    .map((line, at) => ((end < 0 || at < end) && line.startsWith(indent) ? line.slice(indent.length) : line))
    .join('\n');
}
