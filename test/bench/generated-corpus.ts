import { seededRandom } from '../../cli/eval/seeded-random.ts';

/** Number of different words. Their frequencies follow the Zipf-Mandelbrot law. */
const vocabularySize = 60_000;
/** Each passage has one of this many subjects. The vectors of a subject are near each other. */
const subjectCount = 500;
const dimensions = 384;

export type GeneratedCorpus = ReturnType<typeof createGeneratedCorpus>;

/** Random text with the word frequencies of real text, and clustered vectors. The same seed gives the same corpus. */
export function createGeneratedCorpus(seed: number) {
  const random = seededRandom(seed);
  const cumulative = new Float64Array(vocabularySize);
  let total = 0;
  for (let i = 0; i < vocabularySize; i++) {
    total += 1 / (i + 2.7);
    cumulative[i] = total;
  }
  /** Draws a word's rank by its frequency. */
  const drawRank = () => {
    const target = random() * total;
    let [low, high] = [0, vocabularySize - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((cumulative[middle] ?? 0) < target) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  const wordOf = (rank: number) => {
    let word = '';
    for (let rest = rank + 26; rest > 0; rest = Math.floor(rest / 20))
      word += 'bcdfghjklmnpqrstvwxz'[rest % 20] + 'aeiou'[rest % 5]!;
    return word;
  };
  const centres = Array.from({ length: subjectCount }, () =>
    Float32Array.from({ length: dimensions }, () => random() - 0.5),
  );
  /** A unit vector near the centre of a subject. */
  const vectorOf = (subject: number, spread: number) => {
    const vector = Float32Array.from(centres[subject] ?? [], (x) => x + spread * (random() - 0.5));
    const length = Math.hypot(...vector);
    return vector.map((x) => x / length);
  };
  const words = (count: number, drawWord: () => number) =>
    Array.from({ length: count }, () => wordOf(drawWord())).join(' ');
  return {
    dimensions,
    /** 220 words, about 1,400 characters: the size of a chunk. */
    passage: () => ({ text: `${words(220, drawRank)}.`, vector: vectorOf(Math.floor(random() * subjectCount), 1) }),
    /** Two frequent words, and five drawn by frequency. The 30 most frequent are left out: they are like stop words. */
    question: () => ({
      text: `${words(2, () => 30 + Math.floor(random() * 300))} ${words(5, () => Math.max(30, drawRank()))}`,
      vector: vectorOf(Math.floor(random() * subjectCount), 0.8),
    }),
  };
}
