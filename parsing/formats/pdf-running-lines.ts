import type { Line } from './pdf-lines.ts';

/** In shorter documents a repeated line may be text. */
const minPages = 4;
/** A running line stands on at least this share of the pages. */
const minShare = 0.5;
/** How many of a page's first and last lines may be running lines. */
const edgeLines = 4;

/**
 * Leaves out the running headers and footers of pages, apart from where they stand first. They are the lines at the
 * edges of pages that are the same on most pages, but for numbers, at the same height.
 */
export function withoutRunningLines(pages: Line[][]): Line[][] {
  const filled = pages.filter((lines) => lines.length > 0).length;
  if (filled < minPages) return pages;
  const counts = new Map<string, number>();
  for (const lines of pages)
    for (const key of new Set(edgesOf(lines).map(keyOf))) counts.set(key, (counts.get(key) ?? 0) + 1);
  const isRunning = (line: Line) => (counts.get(keyOf(line)) ?? 0) >= Math.max(minPages - 1, filled * minShare);
  const seen = new Set<string>();
  return pages.map((lines) => {
    const edges = new Set(edgesOf(lines));
    return lines.filter((line) => {
      if (!edges.has(line) || !isRunning(line)) return true;
      const isNew = !seen.has(keyOf(line)) && /\p{L}/u.test(line.text);
      seen.add(keyOf(line));
      return isNew;
    });
  });
}

/** The lines at the upper and lower edge of a page. A file may draw them in any order. */
function edgesOf(lines: Line[]): Line[] {
  const byHeight = [...lines].sort((a, b) => b.y - a.y);
  return byHeight.length <= 2 * edgeLines + 1
    ? [...byHeight.slice(0, 1), ...byHeight.slice(-1)]
    : [...byHeight.slice(0, edgeLines), ...byHeight.slice(-edgeLines)];
}

const keyOf = ({ text, y }: Line) => `${Math.round(y / 4)} ${text.replace(/\d+|\b[ivxl]{1,6}\b/gi, '#')}`;
