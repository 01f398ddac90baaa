import type { RankedPassage } from '../../contract/documents.ts';
import type { ReadPassage } from './read-passages.ts';

/** Neighbours are shown as one while they are no longer than two chunks. */
const maxCharacters = 3_150;
/** Texts that share this part of their word sequences say the same. */
const sameness = 0.8;
/** Words in a sequence. */
const sequence = 4;

export type Candidate = ReadPassage & Pick<RankedPassage, 'score' | 'scores'>;
/** `from` and `to`: where its chunks begin and end, of which it may be a part. */
type Piece = Candidate & { from: number; to: number };
type Chosen = Piece & { last: number; parts: number; sequences: Set<string> };

/**
 * Chooses passages from candidates that come best first: one that says what a better one says is left out, and one that
 * stands beside a better one under the same headings is shown together with it, in the better one's place. Nothing is shown
 * twice: of chunks that overlap, the one that comes later brings only what the other does not hold.
 */
export class BestPassages {
  private readonly chosen: Chosen[] = [];

  get size() {
    return this.chosen.length;
  }

  offer(candidate: Candidate) {
    let rest: Piece | undefined = { ...candidate, from: candidate.start, to: candidate.end };
    for (const one of this.chosen) rest = rest && restOf(rest, one);
    if (!rest) return;
    const piece = rest;
    const sequences = sequencesOf(piece.text);
    if (this.chosen.some((one) => overlap(one.sequences, sequences) >= sameness)) return;
    const beside = this.chosen.find((one) => isBeside(one, piece));
    if (beside) join(beside, piece, sequences);
    else this.chosen.push({ ...piece, last: piece.ordinal, parts: 1, sequences });
  }

  get passages(): Omit<RankedPassage, 'coverage'>[] {
    return this.chosen.map(passageOf);
  }
}

/** As it is shown. The same id is the same text, in whichever search. */
function passageOf(chosen: Chosen): Omit<RankedPassage, 'coverage'> {
  const { ordinal: _, gap: _gap, last: _last, sequences: _sequences, parts, from, to, ...passage } = chosen;
  const text = passage.text.trim();
  const start = passage.end - passage.text.trimStart().length;
  const end = start + text.length;
  const part = passage.start === from && passage.end === to ? '' : `.${start}-${end}`;
  return { ...passage, chunkId: passage.chunkId + (parts > 1 ? `+${parts - 1}` : '') + part, text, start, end };
}

const isSameText = (one: Candidate, other: Candidate) =>
  one.documentId === other.documentId && one.contentHash === other.contentHash;

/** What of a piece another passage does not show; undefined when nothing is left. */
function restOf(piece: Piece, shown: Chosen): Piece | undefined {
  if (!isSameText(piece, shown) || piece.end <= shown.start || shown.end <= piece.start) return piece;
  const rest =
    shown.start <= piece.start
      ? { ...piece, text: piece.text.slice(shown.end - piece.start), start: shown.end, gap: '' }
      : { ...piece, text: piece.text.slice(0, shown.start - piece.start), end: shown.start };
  return rest.text.trim() === '' ? undefined : rest;
}

function isBeside(one: Chosen, other: Piece): boolean {
  const [first, second] = inOrder(one, other);
  return (
    isSameText(one, other) &&
    // They meet, with nothing but white space between them.
    second.gap !== null &&
    first.end + second.gap.length === second.start &&
    (other.ordinal === one.last + 1 || other.ordinal === one.ordinal - 1) &&
    one.page === other.page &&
    JSON.stringify(one.headingPath) === JSON.stringify(other.headingPath) &&
    one.text.length + other.text.length <= maxCharacters
  );
}

function join(one: Chosen, other: Piece, sequences: Set<string>) {
  const [first, second] = inOrder(one, other);
  const { chunkId, start, from, ordinal, gap } = first;
  const { end, to } = second;
  const text = first.text + (second.gap ?? '') + second.text;
  const last = Math.max(one.last, other.ordinal);
  Object.assign(one, { chunkId, start, from, ordinal, gap, end, to, text, last });
  one.parts++;
  for (const found of sequences) one.sequences.add(found);
}

const inOrder = (one: Piece, other: Piece): [Piece, Piece] => (other.start > one.start ? [one, other] : [other, one]);

const words = /[\p{L}\p{N}]+/gu;

function sequencesOf(text: string): Set<string> {
  const all = text.toLowerCase().match(words) ?? [];
  if (all.length <= sequence) return new Set([all.join(' ')]);
  return new Set(all.slice(sequence - 1).map((_, i) => all.slice(i, i + sequence).join(' ')));
}

/** Of what the smaller one holds, the part that the other holds too. */
function overlap(a: Set<string>, b: Set<string>): number {
  const [small, large] = a.size < b.size ? [a, b] : [b, a];
  let shared = 0;
  for (const one of small) if (large.has(one)) shared++;
  // A short text inside a long one adds nothing, but only where it is long enough to tell.
  return small.size < 5 && small.size !== large.size ? 0 : shared / (small.size || 1);
}
