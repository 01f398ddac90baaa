import { seededRandom } from '../../cli/eval/seeded-random.ts';

/** Different words, their frequencies by Zipf's law. */
const vocabulary = 60_000;
/** Passages speak of one of so many subjects; vectors of a subject lie together. */
const subjects = 500;
const dimensions = 384;

export type GeneratedCorpus = ReturnType<typeof createCorpus>;

/** Text without sense, with the frequencies of real text, and vectors that lie as real ones do; a seed repeats it. */
export function createCorpus(seed: number) {
  const random = seededRandom(seed);
  const cumulative = new Float64Array(vocabulary);
  let total = 0;
  for (let i = 0; i < vocabulary; i++) cumulative[i] = total += 1 / (i + 2.7);
  const rankOf = () => {
    const at = random() * total;
    let [low, high] = [0, vocabulary - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((cumulative[middle] ?? 0) < at) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  const word = (rank: number) => {
    let name = '';
    for (let rest = rank + 26; rest > 0; rest = Math.floor(rest / 20))
      name += 'bcdfghjklmnpqrstvwxz'[rest % 20] + 'aeiou'[rest % 5]!;
    return name;
  };
  const centres = Array.from({ length: subjects }, () =>
    Float32Array.from({ length: dimensions }, () => random() - 0.5),
  );
  const about = (subject: number, spread: number) => {
    const vector = Float32Array.from(centres[subject] ?? [], (x) => x + spread * (random() - 0.5));
    const length = Math.hypot(...vector);
    return vector.map((x) => x / length);
  };
  const some = (count: number, of: () => number) => Array.from({ length: count }, () => word(of())).join(' ');
  return {
    dimensions,
    /** About 220 words, as a chunk of 1,400 characters holds. */
    passage: () => ({ text: `${some(220, rankOf)}.`, vector: about(Math.floor(random() * subjects), 1) }),
    /** Seven words, two of them frequent ones that are no stop words, the others as text has them. */
    question: () => ({
      text: `${some(2, () => 30 + Math.floor(random() * 300))} ${some(5, () => Math.max(30, rankOf()))}`,
      vector: about(Math.floor(random() * subjects), 0.8),
    }),
  };
}
