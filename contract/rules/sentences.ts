const segmenter = new Intl.Segmenter(undefined, { granularity: 'sentence' });

/** Part of a text, [start, end), in UTF-16 code units. */
export type Span = { start: number; end: number };

/** A sentence of prose, a list item or a part of a long one, or a row of a table, which stays whole. */
export type Sentence = Span & { kind: 'prose' | 'item' | 'row' };

/** A longer list item is split into its sentences, in UTF-16 code units. */
const maxItem = 300;

/** The beginning of a list item: `- `, `* `, `• `, `1. `, `2) `. */
const listMarker = /^\s*([-*+•–]|\d{1,3}[.)])\s+/;
/** A row as the parsers write it: `City: Paris; Limit: 190 EUR`. */
const labelledRow = /^[^:;\n]{1,80}: [^\n]*; [^:;\n]{1,80}: /;
/** A row of one column: `Item: Laptop`. It counts as a row when the line before or after it has the same label. */
const label = /^[^:;\n]{1,80}: /;
/** Lines that never continue the line before them. */
const startsAlone = /^[\s|#*-]/;
/** Text that has no word: what is left of `1. ` when sentences are split. */
const hasWord = /\p{L}|\d[^\s.)]/u;

/**
 * Splits a text into sentences, rows and list items. A wrapped line does not end a sentence. The spans are adjacent and
 * cover the whole text: white space belongs to the sentence before it. No span is blank, unless the whole text is.
 */
export function splitSentences(text: string): Sentence[] {
  const sentences: Sentence[] = [];
  let isLastBlank = false;
  for (const block of blocksOf(text)) {
    for (const sentence of splitBlock(text, block)) {
      const last = sentences.at(-1);
      const isBlank = !text.slice(sentence.start, sentence.end).trim();
      if (last && (isBlank || isLastBlank)) {
        if (isLastBlank) last.kind = sentence.kind;
        last.end = sentence.end;
      } else sentences.push(sentence);
      isLastBlank = isBlank && (!last || isLastBlank);
    }
  }
  return sentences;
}

/** Shrinks a span by the white space at both of its ends. */
export function trimSpan(text: string, { start, end }: Span): Span {
  const segment = text.slice(start, end);
  const lead = segment.length - segment.trimStart().length;
  return { start: start + lead, end: start + Math.max(lead, segment.trimEnd().length) };
}

/** Joins wrapped lines. A row and a list item begin a block of their own. */
function blocksOf(text: string): Sentence[] {
  const blocks: Sentence[] = [];
  const lines = text.split(/(?<=\n)/);
  let start = 0;
  let isOpen = false;
  for (const [i, line] of lines.entries()) {
    const end = start + line.length;
    const isRow = isTableRow(line, lines[i - 1], lines[i + 1]);
    const isListItem = listMarker.test(line);
    const last = blocks.at(-1);
    const continues = isOpen && !isRow && !isListItem && !startsAlone.test(line);
    if (last && continues) last.end = end;
    else blocks.push({ start, end, kind: isRow ? 'row' : isListItem ? 'item' : 'prose' });
    isOpen = !isRow && line.trim() !== '';
    start = end;
  }
  return blocks;
}

function isTableRow(line: string, before: string | undefined, after: string | undefined): boolean {
  if (labelledRow.test(line)) return true;
  const own = label.exec(line)?.[0];
  return own !== undefined && (before?.startsWith(own) === true || after?.startsWith(own) === true);
}

function splitBlock(text: string, { start, end, kind }: Sentence): Sentence[] {
  const content = text.slice(start, end);
  const { length } = content.trim();
  if (length === 0 || kind === 'row' || (kind === 'item' && length <= maxItem)) return [{ start, end, kind }];
  const sentences: Sentence[] = [];
  let hasLastWord = false;
  // Each line break becomes one space, so that offsets stay the same.
  for (const { index, segment } of segmenter.segment(content.replace(/\n(?=[^\n])/g, ' '))) {
    const last = sentences.at(-1);
    const span = { start: start + index, end: start + index + segment.length, kind };
    const isJoined = last !== undefined && !hasLastWord;
    if (isJoined) last.end = span.end;
    else sentences.push(span);
    // With the character before it: a number may go on, and what was seen is not read again.
    hasLastWord = hasWord.test(text.slice(isJoined ? span.start - 1 : span.start, span.end));
  }
  return sentences;
}
