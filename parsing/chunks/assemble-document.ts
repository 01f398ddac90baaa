import { smallest } from '../extremes.ts';
import { type Chunking, defaultChunking } from '../../contract/chunking.ts';
import type { ParsedDocument } from '../../contract/ports/index.ts';
import { cutChunks, type Piece } from './cut-chunks.ts';
import { joinShortChunks, type SectionChunk } from './join-short-chunks.ts';
import { normalise } from '../normalise.ts';
import type { Range } from './split-long.ts';
import type { Unit } from './unit.ts';

const titleMaxCharacters = 300;

/** The pieces under one heading; for formats with pages, those of one page. */
type Section = {
  headingPath: string[];
  depth: number;
  page: number | null;
  heading: Range | undefined;
  pieces: Piece[];
};

type Options = { title?: string | undefined; headingsNameParts?: boolean | undefined; chunking?: Chunking | undefined };

/** A document without its language, which is detected from the whole text afterwards. */
export type AssembledDocument = Omit<ParsedDocument, 'language'>;

/**
 * Builds a document's text and its chunks. A chunk is exactly `text.slice(start, end)`. It never crosses
 * a page, and a heading only when the text above is very short (join-short-chunks.ts). A piece is cut only when it is
 * longer than a chunk. If the collection wants an overlap, a chunk begins with the end of the one before it, within
 * the same heading and page.
 *
 * @param fallbackTitle for a document without a heading
 * @param options.title from the file's metadata
 */
export function assembleDocument(
  units: Unit[],
  fallbackTitle: string,
  { title, headingsNameParts = false, chunking = defaultChunking }: Options = {},
): AssembledDocument {
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
    const unitText = normalise(unit.text);
    if (unitText.trim() === '') continue;
    const start = text === '' ? 0 : text.length + (unit.kind === 'body' && unit.tight ? 1 : 2);
    text += (text === '' ? '' : unit.kind === 'body' && unit.tight ? '\n' : '\n\n') + unitText;
    const range = { start, end: text.length };
    if (unit.kind === 'heading') {
      path = [...path.filter(({ depth }) => depth < unit.depth), { depth: unit.depth, text: unitText }];
      open(unit.page, range);
    } else {
      const last = sections.at(-1);
      const canExtend = last && (last.page === unit.page || last.pieces.length === 0);
      const section = canExtend ? last : open(unit.page);
      section.page = unit.page;
      const before = section.pieces.at(-1);
      // The first row of a table or list is not tight itself. The second row shows that it is one.
      if (unit.tight && before) before.isRow = true;
      section.pieces.push({ ...range, isRow: unit.tight });
    }
  }
  const shownTitle = normalise(title ?? '') || (!headingsNameParts && topHeading(sections)) || normalise(fallbackTitle);
  const chunks = sections.flatMap((section, index) => chunksOf(text, section, { next: sections[index + 1], chunking }));
  return {
    title: shownTitle.slice(0, titleMaxCharacters).toWellFormed(),
    text,
    chunks: joinShortChunks(text, chunks, chunking).map(({ headingPath, page, start, end }) => ({
      headingPath,
      page,
      text: text.slice(start, end),
      start,
      end,
    })),
  };
}

/** The first heading of the highest level. */
function topHeading(sections: Section[]): string | undefined {
  const withHeading = sections.filter((section) => section.heading);
  const depth = smallest(withHeading.map((section) => section.depth));
  return withHeading.find((section) => section.depth === depth)?.headingPath.at(-1);
}

function chunksOf(
  text: string,
  { headingPath, depth, page, heading, pieces }: Section,
  { next, chunking }: { next: Section | undefined; chunking: Chunking },
): SectionChunk[] {
  // A heading without text becomes a chunk itself, unless deeper headings follow.
  const opensDeeper = next !== undefined && next.depth > depth;
  const chunkPieces = pieces.length === 0 && heading && !opensDeeper ? [{ ...heading, isRow: false }] : pieces;
  return cutChunks(text, chunkPieces, chunking).map(({ start, end }, index) => ({
    headingPath,
    page,
    start,
    end,
    headingStart: index === 0 && pieces.length > 0 ? heading?.start : undefined,
  }));
}
