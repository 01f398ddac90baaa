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

/** A run of pieces; `isTorn` when it begins in the middle of one. */
type Run = Range & { isTorn: boolean };

/**
 * Cuts pieces that follow each other into chunks: neighbours together while they fit, a piece that is too long by itself
 * between sentences. With an overlap, what a chunk brings is shorter by it, so that a chunk is never longer than it may be.
 */
export function cut(text: string, pieces: Range[], chunking: Chunking): Range[] {
  const { chunk, overlap } = lengthsOf(chunking);
  const runs = packed(
    pieces.flatMap((piece) => partsOf(text, piece, chunk - overlap)),
    chunk - overlap,
  );
  if (overlap === 0) return runs;
  return runs.map((run, i) => {
    const before = runs[i - 1];
    return { start: before ? overlapStart(text, before, run, overlap) : run.start, end: run.end };
  });
}

const partsOf = (text: string, piece: Range, maxCharacters: number): Run[] =>
  piece.end - piece.start > maxCharacters
    ? splitLong(text, piece, maxCharacters).map((part, i) => ({ ...part, isTorn: i > 0 }))
    : [{ ...piece, isTorn: false }];

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
