import type { RankedPassage } from '../../../contract/documents.ts';
import type { ReadPassage } from './read-passages.ts';

/** Neighbours are shown as one while they are no longer than two chunks. */
const maxCharacters = 3_150;
/** Texts that share this part of their word sequences say the same. */
const sameness = 0.8;
/** Words in a sequence. */
const sequence = 4;

export type Candidate = ReadPassage & Pick<RankedPassage, 'score' | 'scores'>;
type Chosen = Candidate & { last: number; parts: number; sequences: Set<string> };

/**
 * Chooses passages from candidates that come best first: one that says what a better one says is left out, and one that
 * stands beside a better one under the same headings is shown together with it, in the better one's place.
 */
export class BestPassages {
  private readonly chosen: Chosen[] = [];

  get size() {
    return this.chosen.length;
  }

  offer(candidate: Candidate) {
    const sequences = sequencesOf(candidate.text);
    if (this.chosen.some((one) => overlap(one.sequences, sequences) >= sameness)) return;
    const beside = this.chosen.find((one) => isBeside(one, candidate));
    if (!beside) this.chosen.push({ ...candidate, last: candidate.ordinal, parts: 1, sequences });
    else join(beside, candidate, sequences);
  }

  get passages(): Omit<RankedPassage, 'coverage'>[] {
    return this.chosen.map(({ ordinal: _, gap: _gap, last: _last, sequences: _sequences, parts, ...passage }) => ({
      ...passage,
      chunkId: parts > 1 ? `${passage.chunkId}+${parts - 1}` : passage.chunkId,
    }));
  }
}

function isBeside(one: Chosen, other: Candidate): boolean {
  const isNear =
    (other.ordinal === one.last + 1 && other.gap !== null) || (other.ordinal === one.ordinal - 1 && one.gap !== null);
  return (
    isNear &&
    one.documentId === other.documentId &&
    one.contentHash === other.contentHash &&
    one.page === other.page &&
    JSON.stringify(one.headingPath) === JSON.stringify(other.headingPath) &&
    one.text.length + other.text.length <= maxCharacters
  );
}

function join(one: Chosen, other: Candidate, sequences: Set<string>) {
  const isAfter = other.ordinal > one.ordinal;
  const [first, second] = isAfter ? [one, other] : [other, one];
  const { chunkId, start, ordinal, gap } = first;
  const { end } = second;
  const text = first.text + (second.gap ?? '') + second.text;
  Object.assign(one, { chunkId, start, ordinal, gap, end, text, last: isAfter ? other.ordinal : one.last });
  one.parts++;
  for (const found of sequences) one.sequences.add(found);
}

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
