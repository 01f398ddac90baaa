import type { RankedPassage } from '../../contract/documents.ts';
import type { ReadPassage } from './read-passages.ts';

/** Neighbouring passages are merged only up to this length, the length of two chunks. */
const maxCharacters = 3_150;
/** Two texts that share at least this part of their shingles count as duplicates. */
const duplicateOverlap = 0.8;
/** A shingle is a sequence of this many words. */
const shingleLength = 4;

export type Candidate = ReadPassage & Pick<RankedPassage, 'score' | 'scores'>;
/** @property language of its document; not shown */
export type ScoredPassage = Omit<RankedPassage, 'coverage' | 'match' | 'highlights'> & Pick<ReadPassage, 'language'>;
/** A chunk, or the part of it that is shown. `from` and `to`: where the whole chunks begin and end. */
type Piece = Candidate & { from: number; to: number };
/** @property last ordinal of the last chunk in it; `parts`: how many chunks it was merged from */
type ChosenPassage = Piece & { last: number; parts: number; shingles: Set<string> };

/**
 * Chooses passages from candidates that come best first.
 *
 * - A candidate with the same content as a better one is left out.
 * - A candidate next to a better one, under the same headings, is merged into it and takes its place.
 * - No text is shown twice: of two overlapping chunks, the later one adds only what the first does not contain.
 */
export class BestPassages {
  private readonly chosen: ChosenPassage[] = [];

  get size() {
    return this.chosen.length;
  }

  offer(candidate: Candidate) {
    const piece = this.withoutShownText(candidate);
    if (!piece) return;
    const shingles = shinglesOf(piece.text);
    if (this.chosen.some((passage) => overlap(passage.shingles, shingles) >= duplicateOverlap)) return;
    const neighbour = this.chosen.find((passage) => isAdjacent(passage, piece));
    if (neighbour) merge(neighbour, piece, shingles);
    else this.chosen.push({ ...piece, last: piece.ordinal, parts: 1, shingles });
  }

  get passages(): ScoredPassage[] {
    return this.chosen.map(toPassage);
  }

  private withoutShownText(candidate: Candidate): Piece | undefined {
    let piece: Piece | undefined = { ...candidate, from: candidate.start, to: candidate.end };
    for (const passage of this.chosen) piece = piece && remainderOf(piece, passage);
    return piece;
  }
}

/** The passage as it is shown. Its id names the shown part too, so the same id has the same text in every search. */
function toPassage(chosen: ChosenPassage): ScoredPassage {
  const { ordinal: _, gap: _gap, last: _last, shingles: _shingles, parts, from, to, ...passage } = chosen;
  const text = passage.text.trim();
  const start = passage.end - passage.text.trimStart().length;
  const end = start + text.length;
  const part = passage.start === from && passage.end === to ? '' : `.${start}-${end}`;
  return { ...passage, chunkId: passage.chunkId + (parts > 1 ? `+${parts - 1}` : '') + part, text, start, end };
}

const isSameVersion = (a: Candidate, b: Candidate) => a.documentId === b.documentId && a.contentHash === b.contentHash;

/** The part of a piece that another passage does not show; undefined when that is empty. */
function remainderOf(piece: Piece, shown: ChosenPassage): Piece | undefined {
  if (!isSameVersion(piece, shown) || piece.end <= shown.start || shown.end <= piece.start) return piece;
  const remainder =
    shown.start <= piece.start
      ? { ...piece, text: piece.text.slice(shown.end - piece.start), start: shown.end, gap: '' }
      : { ...piece, text: piece.text.slice(0, shown.start - piece.start), end: shown.start };
  return remainder.text.trim() === '' ? undefined : remainder;
}

function isAdjacent(passage: ChosenPassage, piece: Piece): boolean {
  const [first, second] = inTextOrder(passage, piece);
  return (
    isSameVersion(passage, piece) &&
    // Only white space may stand between the two.
    second.gap !== null &&
    first.end + second.gap.length === second.start &&
    (piece.ordinal === passage.last + 1 || piece.ordinal === passage.ordinal - 1) &&
    passage.page === piece.page &&
    JSON.stringify(passage.headingPath) === JSON.stringify(piece.headingPath) &&
    passage.text.length + piece.text.length <= maxCharacters
  );
}

function merge(passage: ChosenPassage, piece: Piece, shingles: Set<string>) {
  const [first, second] = inTextOrder(passage, piece);
  const { chunkId, start, from, ordinal, gap } = first;
  const { end, to } = second;
  const text = first.text + (second.gap ?? '') + second.text;
  const last = Math.max(passage.last, piece.ordinal);
  Object.assign(passage, { chunkId, start, from, ordinal, gap, end, to, text, last });
  passage.parts++;
  for (const shingle of shingles) passage.shingles.add(shingle);
}

const inTextOrder = (a: Piece, b: Piece): [Piece, Piece] => (b.start > a.start ? [a, b] : [b, a]);

const words = /[\p{L}\p{N}]+/gu;

function shinglesOf(text: string): Set<string> {
  const all = text.toLowerCase().match(words) ?? [];
  if (all.length <= shingleLength) return new Set([all.join(' ')]);
  return new Set(all.slice(shingleLength - 1).map((_, i) => all.slice(i, i + shingleLength).join(' ')));
}

/** Containment: the part of the smaller set that the larger one contains too, from 0 to 1. */
function overlap(a: Set<string>, b: Set<string>): number {
  const [small, large] = a.size < b.size ? [a, b] : [b, a];
  let shared = 0;
  for (const shingle of small) if (large.has(shingle)) shared++;
  // A very short text may be part of a longer one by chance.
  return small.size < 5 && small.size !== large.size ? 0 : shared / (small.size || 1);
}
