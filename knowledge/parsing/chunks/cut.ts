import type { Chunking } from '../../../contract/chunking.ts';
import { overlapStart } from './overlap.ts';
import { type Range, splitLong } from './split-long.ts';

/** Prose measured 4.2 to 5.2 characters a token, code 3. */
const charactersPerToken = 4.5;

/** Lengths in characters: of a chunk, and of what it repeats of the one before. */
export const lengthsOf = ({ chunkTokens, overlapTokens }: Chunking) => ({
  chunk: Math.floor(chunkTokens * charactersPerToken),
  overlap: Math.floor(overlapTokens * charactersPerToken),
});

/** What a text is cut between. A row says nothing by halves. */
export type Piece = Range & { isRow: boolean };

/** A run of pieces from the `first`th on; `isTorn` when it begins in the middle of that one. */
type Run = Range & { first: number; isTorn: boolean };

/**
 * Cuts pieces that follow each other into chunks: neighbours together while they fit, a piece that is too long by itself
 * between sentences. With an overlap, what a chunk brings is shorter by it, so that a chunk is never longer than it may be.
 */
export function cut(text: string, pieces: Piece[], chunking: Chunking): Range[] {
  const { chunk, overlap } = lengthsOf(chunking);
  const runs = packed(
    pieces.flatMap((piece, first) => partsOf(text, piece, chunk - overlap).map((part) => ({ ...part, first }))),
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

/** The rows before a piece that reach beyond a place. */
function rowsBefore(pieces: Piece[], first: number, from: number): Range[] {
  const rows: Range[] = [];
  for (let at = first - 1, row = pieces[at]; row && row.end > from; row = pieces[--at]) if (row.isRow) rows.push(row);
  return rows;
}

const partsOf = (text: string, piece: Range, maxCharacters: number): Omit<Run, 'first'>[] =>
  piece.end - piece.start > maxCharacters
    ? splitLong(text, piece, maxCharacters).map((part, i) => ({ ...part, isTorn: i > 0 }))
    : [{ start: piece.start, end: piece.end, isTorn: false }];

/** Neighbours together while they fit. */
function packed(parts: Run[], maxCharacters: number): Run[] {
  const runs: Run[] = [];
  for (const part of parts) {
    const last = runs.at(-1);
    if (last && part.end - last.start <= maxCharacters) last.end = part.end;
    else runs.push({ ...part });
  }
  return runs;
}
