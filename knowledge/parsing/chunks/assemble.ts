import { type Chunking, defaultChunking } from '../../../contract/chunking.ts';
import type { Block, ParsedDocument } from '../../../contract/ports/index.ts';
import { cut, type Piece } from './cut.ts';
import { normalise } from '../normalise.ts';
import type { Range } from './split-long.ts';
import type { Unit } from './unit.ts';

const titleMaxCharacters = 300;

/** What stands between two headings, or on one page between them. */
type Section = {
  headingPath: string[];
  depth: number;
  page: number | null;
  heading: Range | undefined;
  pieces: Piece[];
};

type Options = { headingsNameParts?: boolean | undefined; chunking?: Chunking | undefined };

/** A document without its language, for which its whole text has to be there. */
export type Assembled = Omit<ParsedDocument, 'language'>;

/**
 * Builds a document's text and its chunks. A chunk is exactly `text.slice(start, end)`; it never crosses a heading or a
 * page, and cuts through a piece only when that is too long by itself. Where the collection wants it, a chunk begins with
 * the end of the one before it under the same heading and on the same page.
 *
 * @param fallbackTitle for a document without a heading of its own
 */
export function assemble(
  units: Unit[],
  fallbackTitle: string,
  { headingsNameParts = false, chunking = defaultChunking }: Options = {},
): Assembled {
  let text = '';
  const sections: Section[] = [];
  let path: { depth: number; text: string }[] = [];
  const open = (page: number | null, heading?: Range): Section => {
    const section = {
      headingPath: path.map((step) => step.text),
      depth: path.at(-1)?.depth ?? 0,
      page,
      heading,
      pieces: [],
    };
    sections.push(section);
    return section;
  };
  for (const unit of units) {
    const own = normalise(unit.text);
    if (own.trim() === '') continue;
    const start = text === '' ? 0 : text.length + (unit.kind === 'body' && unit.tight ? 1 : 2);
    text += (text === '' ? '' : unit.kind === 'body' && unit.tight ? '\n' : '\n\n') + own;
    const range = { start, end: text.length };
    if (unit.kind === 'heading') {
      path = [...path.filter(({ depth }) => depth < unit.depth), { depth: unit.depth, text: own }];
      open(unit.page, range);
    } else {
      const last = sections.at(-1);
      const fits = last && (last.page === unit.page || last.pieces.length === 0);
      const section = fits ? last : open(unit.page);
      section.page = unit.page;
      const before = section.pieces.at(-1);
      // The first of several is marked by the second.
      if (unit.tight && before) before.isRow = true;
      section.pieces.push({ ...range, isRow: unit.tight });
    }
  }
  const heading = headingsNameParts ? undefined : sections.find((section) => section.heading)?.headingPath.at(-1);
  const title = heading ?? normalise(fallbackTitle);
  return {
    title: title.slice(0, titleMaxCharacters).toWellFormed(),
    text,
    chunks: sections.flatMap((section, index) => chunksOf(text, section, { next: sections[index + 1], chunking })),
  };
}

function chunksOf(
  text: string,
  { headingPath, depth, page, heading, pieces }: Section,
  { next, chunking }: { next: Section | undefined; chunking: Chunking },
): Block[] {
  // A heading with nothing under it still says something, unless it only opens deeper ones.
  const opensDeeper = next !== undefined && next.depth > depth;
  const readable = pieces.length === 0 && heading && !opensDeeper ? [{ ...heading, isRow: false }] : pieces;
  return cut(text, readable, chunking).map(({ start, end }) => ({
    headingPath,
    page,
    text: text.slice(start, end),
    start,
    end,
  }));
}
