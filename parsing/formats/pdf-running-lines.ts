import { largest } from '../extremes.ts';
import type { Line } from './pdf-lines.ts';

/** In shorter documents a repeated line may be text. */
const minPages = 4;
/** A running line stands on at least this share of the pages. */
const minShare = 0.5;
/** Page numbers count on from page to page, but for inserted pages: on at least this share. */
const minCountingShare = 0.8;
/** How many of a page's first and last lines may be running lines. */
const edgeLines = 4;

type Occurrence = { page: number; line: Line; numbers: number[] };

/**
 * Leaves out the running headers and footers of pages, apart from where they stand first, and page numbers. They are
 * the lines at the edges of most pages that are the same at the same height, but for numbers that count the pages.
 * Another number, as in "Invoice 1002", makes a line another one. A page is never left without text.
 */
export function withoutRunningLines(pages: Line[][]): Line[][] {
  const filled = pages.filter((lines) => lines.length > 0).length;
  if (filled < minPages) return pages;
  const minCount = Math.max(minPages - 1, filled * minShare);
  const groups = new Map<string, Occurrence[]>();
  for (const [page, lines] of pages.entries())
    for (const line of edgesOf(lines)) {
      const key = `${Math.round(line.y / 4)} ${line.text.replace(/\d+/g, '#')}`;
      const occurrence = { page, line, numbers: (line.text.match(/\d+/g) ?? []).map(Number) };
      const group = groups.get(key);
      if (group) group.push(occurrence);
      else groups.set(key, [occurrence]);
    }
  const dropped = new Set<Line>();
  for (const group of groups.values())
    if (group.length >= minCount && countsPages(group))
      for (const [index, { line }] of group.entries()) if (index > 0 || !hasLetters(line)) dropped.add(line);
  return pages.map((lines) => {
    const kept = lines.filter((line) => !dropped.has(line));
    return kept.length > 0 || !lines.some(hasLetters) ? kept : lines;
  });
}

/** Whether each number in the lines is the same on all pages, or counts them. */
function countsPages(group: Occurrence[]): boolean {
  const [first] = group;
  return (first?.numbers ?? []).every((_, at) => {
    const isSteady = (value: (occurrence: Occurrence) => number) => {
      const counts = new Map<number, number>();
      for (const occurrence of group) counts.set(value(occurrence), (counts.get(value(occurrence)) ?? 0) + 1);
      return largest(counts.values()) >= group.length * minCountingShare;
    };
    return isSteady(({ numbers }) => numbers[at] ?? -1) || isSteady(({ numbers, page }) => (numbers[at] ?? -1) - page);
  });
}

const hasLetters = ({ text }: Line) => /\p{L}/u.test(text);

/** The lines at the upper and lower edge of a page. A file may draw them in any order. */
function edgesOf(lines: Line[]): Line[] {
  const byHeight = [...lines].sort((a, b) => b.y - a.y);
  if (byHeight.length <= 2 * edgeLines + 1)
    return byHeight.length < 2 ? byHeight : [...byHeight.slice(0, 1), ...byHeight.slice(-1)];
  return [...byHeight.slice(0, edgeLines), ...byHeight.slice(-edgeLines)];
}
