import type { PDFPageProxy } from 'unpdf/pdfjs';
import { singleLine } from '../normalise.ts';

/** One printed line. `size` is the height of its letters and `y` the height of its baseline on the page, in points. */
export type Line = { text: string; size: number; y: number };

type TextItem = { str: string; transform: number[]; hasEOL: boolean };

/** The lines of a page, in the order in which the file draws them. */
export async function readLines(page: PDFPageProxy): Promise<Line[]> {
  const { items } = await page.getTextContent();
  const lines: Line[] = [];
  let open: Line | undefined;
  for (const item of items as (TextItem | { type: string })[]) {
    if (!('str' in item)) continue;
    const size = Math.hypot(item.transform[2] ?? 0, item.transform[3] ?? 0);
    const y = item.transform[5] ?? 0;
    if (open && item.str.trim() && Math.abs(open.y - y) > Math.max(open.size, size) * 0.6) {
      lines.push(open);
      open = undefined;
    }
    open = open
      ? { text: open.text + item.str, size: item.str.trim() ? Math.max(open.size, size) : open.size, y: open.y }
      : { text: item.str, size, y };
    if (item.hasEOL) {
      lines.push(open);
      open = undefined;
    }
  }
  if (open) lines.push(open);
  return lines.map((line) => ({ ...line, text: singleLine(line.text) })).filter(({ text }) => text !== '');
}
