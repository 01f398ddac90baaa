import type { Chunking } from '../../contract/chunking.ts';
import { overlapStart } from './overlap-start.ts';
import { type Range, splitLong } from './split-long.ts';

/** Measured: prose has 4.2 to 5.2 characters per token, code 3. */
const charactersPerToken = 4.5;

/** The lengths of a chunk and of its overlap with the one before, in UTF-16 code units. */
export const chunkLengths = ({ chunkTokens, overlapTokens }: Chunking) => ({
  chunk: Math.floor(chunkTokens * charactersPerToken),
  overlap: Math.floor(overlapTokens * charactersPerToken),
});

/** Chunks are cut between pieces. `isRow`: a table row or list item, of which no part is used as overlap. */
export type Piece = Range & { isRow: boolean };

/** One or more pieces. It begins with the piece at index `first`, or inside it (`startsInside`). */
type Run = Range & { first: number; startsInside: boolean };

/**
 * Cuts consecutive pieces into chunks. Neighbours are joined while they fit; a piece that is longer than a chunk is cut
 * between sentences. The overlap counts towards a chunk's length, so no chunk is longer than its collection allows.
 */
export function cutChunks(text: string, pieces: Piece[], chunking: Chunking): Range[] {
  const { chunk, overlap } = chunkLengths(chunking);
  const runs = joinNeighbours(
    pieces.flatMap((piece, first) => splitPiece(text, piece, chunk - overlap).map((part) => ({ ...part, first }))),
    chunk - overlap,
  );
  if (overlap === 0) return runs;
  return runs.map((run, i) => {
    const before = runs[i - 1];
    if (!before) return { start: run.start, end: run.end };
    const from = Math.max(before.start, run.start - overlap);
    const rows = rowsBefore(pieces, run.first, from);
    return { start: overlapStart(text, { from, isWhole: from === before.start, rows }, run), end: run.end };
  });
}

/** The rows before the piece at index `first` that end behind the offset `from`. */
function rowsBefore(pieces: Piece[], first: number, from: number): Range[] {
  const rows: Range[] = [];
  for (let i = first - 1; i >= 0; i--) {
    const piece = pieces[i];
    if (!piece || piece.end <= from) break;
    if (piece.isRow) rows.push(piece);
  }
  return rows;
}

const splitPiece = (text: string, piece: Range, maxCharacters: number): Omit<Run, 'first'>[] =>
  piece.end - piece.start > maxCharacters
    ? splitLong(text, piece, maxCharacters).map((part, i) => ({ ...part, startsInside: i > 0 }))
    : [{ start: piece.start, end: piece.end, startsInside: false }];

/** Joins neighbours while they fit into `maxCharacters`. */
function joinNeighbours(parts: Run[], maxCharacters: number): Run[] {
  const runs: Run[] = [];
  for (const part of parts) {
    const last = runs.at(-1);
    if (last && part.end - last.start <= maxCharacters) last.end = part.end;
    else runs.push({ ...part });
  }
  return runs;
}
