import type { Chunking } from '../../contract/chunking.ts';
import { chunkLengths } from './cut-chunks.ts';
import type { Range } from './split-long.ts';

/** A chunk of one section. `headingStart` is the offset of the section's heading, for its first chunk. */
export type SectionChunk = Range & { headingPath: string[]; page: number | null; headingStart: number | undefined };

/** A shorter text has little meaning of its own and is found by the wrong queries. */
const minCharacters = 60;

/**
 * Joins a short chunk with the chunk that follows, when that stands beside or below it, on the same page, and both fit
 * into one chunk; the last of several sections is joined with the one before it. Headings in between are part of the
 * joined text; its heading path is what both have in common. A heading without text that has no neighbour to be joined
 * with is left out, unless it is all that there is.
 */
export function joinShortChunks(text: string, chunks: SectionChunk[], chunking: Chunking): SectionChunk[] {
  const maxCharacters = chunkLengths(chunking).chunk;
  const joined: SectionChunk[] = [];
  for (const [index, chunk] of chunks.entries()) {
    const last = joined.at(-1);
    const next = chunks[index + 1];
    // A chunk that the next one repeats in part keeps its heading path, so that both have the same.
    const isRepeated = next !== undefined && next.start < chunk.end;
    const both = last && !isRepeated && isShort(last) ? joinTwo(last, chunk) : undefined;
    if (both && both.end - both.start <= maxCharacters) joined.splice(-1, 1, both);
    else joined.push(chunk);
  }
  const withNeighbours = joinLastOnes(text, joined, maxCharacters);
  const withText = withNeighbours.filter((chunk) => !isLoneHeading(text, chunk));
  return withText.length > 0 ? withText : withNeighbours;
}

/** Joins short chunks that nothing beside or below follows with the section before them, which stands beside them. */
function joinLastOnes(text: string, chunks: SectionChunk[], maxCharacters: number): SectionChunk[] {
  const joined: SectionChunk[] = [];
  for (const [index, chunk] of chunks.entries()) {
    const last = joined.at(-1);
    const overlaps =
      (last !== undefined && chunk.start < last.end) || (chunks[index + 1]?.start ?? Infinity) < chunk.end;
    const both = last && !overlaps && isShort(chunk) && !isLoneHeading(text, chunk) ? joinTwo(last, chunk) : undefined;
    if (both && both.end - both.start <= maxCharacters) joined.splice(-1, 1, both);
    else joined.push(chunk);
  }
  return joined;
}

const isShort = ({ start, end }: Range) => end - start < minCharacters;

/** Whether a chunk is a short heading and nothing else. */
const isLoneHeading = (text: string, chunk: SectionChunk) =>
  isShort(chunk) && chunk.headingStart === undefined && text.slice(chunk.start, chunk.end) === chunk.headingPath.at(-1);

/** @returns undefined when they do not belong together */
function joinTwo(first: SectionChunk, second: SectionChunk): SectionChunk | undefined {
  if (first.page !== second.page || second.headingStart === undefined) return undefined;
  // The line that a document begins with is about what its first heading says.
  if (first.headingPath.length === 0 && first.start > 0) return undefined;
  if (first.headingPath.length === 0) return { ...second, start: first.start, headingStart: undefined };
  const parent = first.headingPath.slice(0, second.headingPath.length - 1);
  const isBelow = startsWith(second.headingPath, first.headingPath);
  const isBeside = parent.length === first.headingPath.length - 1 && startsWith(second.headingPath, parent);
  if (isBelow) return { ...first, end: second.end };
  if (!isBeside || first.headingStart === undefined) return undefined;
  return { ...first, headingPath: parent, start: first.headingStart, end: second.end };
}

const startsWith = (path: string[], beginning: string[]) => beginning.every((step, index) => path[index] === step);
