/**
 * A code has one bit for each number of the vector, in words of 32 bits; the number of words is a multiple of three.
 */
const wordCount = (dimensions: number) => 3 * Math.ceil(dimensions / 96);

/** Binary quantization: keeps only the sign of each number. The codes rank all vectors quickly and approximately. */
export function quantize(vector: Float32Array): Int32Array {
  const code = new Int32Array(wordCount(vector.length));
  for (let i = 0; i < vector.length; i++)
    if ((vector[i] ?? 0) > 0) code[i >> 5] = (code[i >> 5] ?? 0) | (1 << (i & 31));
  return code;
}

/** The distance of rows that a filter excludes. */
const excluded = 0xffff;

type Filter = {
  /** 1 for each allowed class, by class id. Undefined: all classes are allowed. */
  isAllowed: Uint8Array | undefined;
  /** When the document last changed: from and to, in milliseconds since 1970. */
  updatedRange: readonly [number, number];
};

/**
 * The codes of all vectors of an index, in memory: 48 bytes for a vector of 384 numbers. To compare 100,000 of them
 * takes 3 ms, where SQLite takes 28 ms for the codes and 140 ms for the vectors themselves.
 */
export class BinaryCodes {
  /** Words in one code, set by the first code. */
  private words = 0;
  private codes = new Int32Array(0);
  private rows = new Float64Array(0);
  private classes = new Uint32Array(0);
  private times = new Float64Array(0);
  private count = 0;
  private distances = new Uint16Array(0);

  get size() {
    return this.count;
  }

  /**
   * @param row row of the vector. Rows only grow; a row removed from the file stays here until the codes are reloaded.
   */
  add(row: number, code: Int32Array, classId: number, updatedMs: number) {
    if (this.count === 0) this.words = code.length;
    if (this.count === this.rows.length) this.grow();
    this.codes.set(code, this.count * this.words);
    this.rows[this.count] = row;
    this.classes[this.count] = classId;
    this.times[this.count] = updatedMs;
    this.count++;
  }

  /**
   * The rows whose codes have the smallest Hamming distance to a query's code, in no order.
   *
   * @param limit the least number of rows, when there are that many. Ties at the largest distance are all returned.
   * @returns `compared`: how many rows the filter allows
   */
  nearest(code: Int32Array, limit: number, filter: Filter): { rows: number[]; compared: number } {
    const { count } = this;
    if (this.distances.length < count) this.distances = new Uint16Array(this.rows.length);
    const { distances } = this;
    const histogram = this.measureDistances(code, filter);
    const largest = smallestBoundWith(histogram, limit);
    const rows: number[] = [];
    for (let i = 0; i < count; i++) if ((distances[i] ?? excluded) <= largest) rows.push(this.rows[i] ?? 0);
    return { rows, compared: histogram.reduce((sum, rows) => sum + rows, 0) };
  }

  /** Fills `distances`. @returns how many rows have each distance */
  private measureDistances(code: Int32Array, { isAllowed, updatedRange: [from, to] }: Filter): Uint32Array {
    const { words, codes, count, distances, classes, times } = this;
    const histogram = new Uint32Array(words * 32 + 1);
    const isTimed = from > -Infinity || to < Infinity;
    for (let i = 0, at = 0; i < count; i++, at += words) {
      if (
        (isAllowed && isAllowed[classes[i] ?? 0] !== 1) ||
        (isTimed && ((times[i] ?? 0) < from || (times[i] ?? 0) > to))
      ) {
        distances[i] = excluded;
        continue;
      }
      let distance = 0;
      for (let word = 0; word < words; word += 3)
        distance += setBits(
          (codes[at + word] ?? 0) ^ (code[word] ?? 0),
          (codes[at + word + 1] ?? 0) ^ (code[word + 1] ?? 0),
          (codes[at + word + 2] ?? 0) ^ (code[word + 2] ?? 0),
        );
      distances[i] = distance;
      histogram[distance] = (histogram[distance] ?? 0) + 1;
    }
    return histogram;
  }

  private grow() {
    const length = Math.max(1_024, this.rows.length * 2);
    const { codes, rows, classes, times } = this;
    this.codes = new Int32Array(length * this.words);
    this.codes.set(codes);
    this.rows = new Float64Array(length);
    this.rows.set(rows);
    this.classes = new Uint32Array(length);
    this.classes.set(classes);
    this.times = new Float64Array(length);
    this.times.set(times);
  }
}

/** The smallest distance within which there are at least `limit` rows, or the largest distance there is. */
function smallestBoundWith(histogram: Uint32Array, limit: number): number {
  let rows = 0;
  for (let distance = 0; distance < histogram.length - 1; distance++) {
    rows += histogram[distance] ?? 0;
    if (rows >= limit) return distance;
  }
  return histogram.length - 1;
}

/**
 * The number of set bits of three words together, counted in parallel inside the words (Warren, Hacker's Delight, 5-1):
 * two thirds of the time of a lookup table. Not more than three words, because a field of four bits cannot hold the
 * sum.
 */
function setBits(x: number, y: number, z: number): number {
  const quads = setBitsPerNibble(x) + setBitsPerNibble(y) + setBitsPerNibble(z);
  return Math.imul((quads & 0x0f0f0f0f) + ((quads >>> 4) & 0x0f0f0f0f), 0x01010101) >>> 24;
}

/** How many bits are set in each group of four. */
function setBitsPerNibble(word: number): number {
  const twos = word - ((word >>> 1) & 0x55555555);
  return (twos & 0x33333333) + ((twos >>> 2) & 0x33333333);
}
