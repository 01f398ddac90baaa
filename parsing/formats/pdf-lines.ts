import type { PDFPageProxy } from 'unpdf/pdfjs';
import { append } from '../extremes.ts';
import { singleLine } from '../normalise.ts';

/**
 * One printed line. `size` is the height of its letters and `y` that of its baseline on the page, in points; for
 * turned text, the height seen in its direction. `isRow`: it consists of cells that stand apart, with `cellMark`
 * between.
 */
export type Line = { text: string; size: number; y: number; isRow?: boolean };

type TextItem = { str: string; transform: number[]; width: number; hasEOL: boolean };
/** A piece of text in its direction: from `x` to `end`, at the height `y`. `angle` is that of its direction. */
type Placed = { text: string; size: number; x: number; end: number; y: number; angle: number };
/** `gap` is the space before a piece, in letter heights. */
type OpenLine = Placed & { pieces: { text: string; gap: number }[] };

/** Stands between the cells of a row. */
export const cellMark = ' | ';
/** A wider space, in letter heights, does not occur within a sentence: it stands between cells. */
const cellGap = 1.4;
/** In a row that is known to be one, a narrower space stands between cells too. */
const narrowCellGap = 0.7;
/** Of two texts side by side each may be a column of a page. Three in a line are a table. */
const minRowGaps = 2;
/** Two longer texts side by side are columns of a page. */
const columnCharacters = 30;

/** The lines of a page, in the order in which the file draws them. */
export async function readLines(page: PDFPageProxy): Promise<Line[]> {
  const { items } = await page.getTextContent();
  const lines: OpenLine[] = [];
  let isEnded = true;
  for (const item of items as (TextItem | { type: string })[]) {
    if (!('str' in item)) continue;
    const open = lines.at(-1);
    const placed = placeOf(item);
    if (item.str.trim() === '') {
      if (open && !isEnded) addText(open, { ...placed, end: open.end });
    } else if (open && isNextCell(open, placed)) addText(open, placed);
    else if (!open || isEnded || isElsewhere(open, placed))
      lines.push({ ...placed, pieces: [{ text: item.str, gap: 0 }] });
    else addText(open, placed);
    isEnded = item.hasEOL;
  }
  return withoutLineNumbers(lines.flatMap(linesOf).filter(({ text }) => text !== ''));
}

function placeOf({ str, transform, width }: TextItem): Placed {
  const [a = 1, b = 0, c = 0, d = 0, x = 0, y = 0] = transform;
  const angle = Math.atan2(b, a);
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const start = x * cos + y * sin;
  return { text: str, size: Math.hypot(c, d), x: start, end: start + width, y: y * cos - x * sin, angle };
}

const isTurned = (open: Placed, { angle }: Placed) => Math.abs(open.angle - angle) > 0.02;

const isElsewhere = (open: Placed, placed: Placed) =>
  isTurned(open, placed) || Math.abs(open.y - placed.y) > Math.max(open.size, placed.size) * 0.6;

/** Whether a text stands on the same line, to the right of a wide space. */
const isNextCell = (open: Placed, placed: Placed) =>
  !isTurned(open, placed) &&
  Math.abs(open.y - placed.y) < Math.max(1, placed.size * 0.2) &&
  placed.x - open.end > Math.max(open.size, placed.size) * cellGap;

function addText(open: OpenLine, { text, size, x, end }: Placed) {
  const isBlank = text.trim() === '';
  const last = open.pieces.at(-1);
  const gap = isBlank ? 0 : (x - open.end) / Math.max(open.size, size, 1);
  if (last && gap < narrowCellGap) last.text += text;
  else open.pieces.push({ text, gap });
  if (isBlank) return;
  open.size = Math.max(open.size, size);
  open.end = end;
}

/** A row of a table stays one line. Two columns of a page that stand beside each other are lines of their own. */
function linesOf({ pieces, size, y }: OpenLine): Line[] {
  const wide = pieces.filter(({ gap }) => gap > cellGap).length;
  const isRow = wide >= minRowGaps;
  const cells: string[] = [];
  for (const { text, gap } of pieces) {
    if (cells.length === 0 || gap > (isRow ? narrowCellGap : cellGap)) cells.push(text);
    else cells.push(`${cells.pop() ?? ''} ${text}`);
  }
  const texts = cells.map(cleanText).filter(Boolean);
  if (isRow) return [{ text: texts.join(cellMark), size, y, isRow }];
  return texts.every((text) => text.length > columnCharacters)
    ? texts.map((text) => ({ text, size, y }))
    : [{ text: texts.join(' '), size, y }];
}

/** Dots and lines that lead to a page number or a field are not text. */
const cleanText = (text: string): string => singleLine(withBytesInOrder(text).replace(/(?:\s*[.·_]){6,}\s*/g, ' … '));

/** "䴀甀氀琀椀" is "Multi" with the two bytes of each character swapped. No text has only such characters. */
const withBytesInOrder = (text: string): string =>
  /^(?:\s|[\u2000\u2100-\u7e00])+$/.test(text) &&
  [...text].every((character) => /\s/.test(character) || character.charCodeAt(0) % 256 === 0)
    ? text.replace(/\S/g, (character) => String.fromCharCode(character.charCodeAt(0) >> 8))
    : text;

/** Court papers number their lines at the margin. */
const minLineNumbers = 8;

function withoutLineNumbers(lines: Line[]): Line[] {
  const kept: Line[] = [];
  let run: Line[] = [];
  for (const line of [...lines, undefined]) {
    const before = run.at(-1);
    if (line && /^\d{1,2}$/.test(line.text) && (!before || Number(line.text) === Number(before.text) + 1))
      run.push(line);
    else {
      if (run.length < minLineNumbers) append(kept, run);
      run = line && /^\d{1,2}$/.test(line.text) ? [line] : [];
      if (line && run.length === 0) kept.push(line);
    }
  }
  return kept;
}
