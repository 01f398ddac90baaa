/** Set bits of every 16-bit number. */
const bitsIn = Uint8Array.from({ length: 65_536 }, (_, n) => {
  let count = 0;
  for (let rest = n; rest; rest &= rest - 1) count++;
  return count;
});

/** The signs of a vector's numbers, a bit each: what is left of it for a first, quick look at all vectors. */
export function codeOf(vector: Float32Array): Uint16Array {
  const code = new Uint16Array(Math.ceil(vector.length / 16));
  for (let i = 0; i < vector.length; i++)
    if ((vector[i] ?? 0) > 0) code[i >> 4] = (code[i >> 4] ?? 0) | (1 << (i & 15));
  return code;
}

/**
 * The codes of all vectors of an index, in memory: 48 bytes a vector of 384 numbers. A look at 100,000 of them takes
 * 3 ms, where SQLite takes 28 for the same and 140 for the vectors themselves.
 */
export class Codes {
  private readonly words: number;
  private codes: Uint16Array;
  private rows: Float64Array;
  private classes: Uint32Array;
  private times: Float64Array;
  private count = 0;
  private distances = new Uint16Array(0);

  constructor(dimensions: number) {
    this.words = Math.ceil(dimensions / 16);
    this.codes = new Uint16Array(0);
    this.rows = new Float64Array(0);
    this.classes = new Uint32Array(0);
    this.times = new Float64Array(0);
  }

  get size() {
    return this.count;
  }

  /** @param row the vector's row; rows only ever grow, and what was removed from the file stays here until a reload */
  add(row: number, code: Uint16Array, classId: number, updatedMs: number) {
    if (this.count === this.rows.length) this.grow();
    this.codes.set(code.subarray(0, this.words), this.count * this.words);
    this.rows[this.count] = row;
    this.classes[this.count] = classId;
    this.times[this.count] = updatedMs;
    this.count++;
  }

  /**
   * The rows whose codes differ least from a query's, in no order.
   *
   * @param isAllowed by class; all when undefined
   * @param limit     how many at the least, when there are that many
   */
  nearest(
    code: Uint16Array,
    limit: number,
    isAllowed: Uint8Array | undefined,
    [from, to]: readonly [number, number],
  ): number[] {
    const { words, codes, count } = this;
    if (this.distances.length < count) this.distances = new Uint16Array(this.rows.length);
    const { distances, classes, times } = this;
    const histogram = new Uint32Array(words * 16 + 1);
    const isTimed = from > -Infinity || to < Infinity;
    for (let i = 0, at = 0; i < count; i++, at += words) {
      if (
        (isAllowed && isAllowed[classes[i] ?? 0] !== 1) ||
        (isTimed && ((times[i] ?? 0) < from || (times[i] ?? 0) > to))
      ) {
        distances[i] = 0xffff;
        continue;
      }
      let distance = 0;
      for (let word = 0; word < words; word++)
        distance += bitsIn[(codes[at + word] ?? 0) ^ (code[word] ?? 0)] as number;
      distances[i] = distance;
      histogram[distance] = (histogram[distance] ?? 0) + 1;
    }
    let most = 0;
    for (let taken = 0; most < histogram.length - 1; most++) if ((taken += histogram[most] ?? 0) >= limit) break;
    const found: number[] = [];
    for (let i = 0; i < count; i++) if ((distances[i] ?? 0xffff) <= most) found.push(this.rows[i] ?? 0);
    return found;
  }

  private grow() {
    const length = Math.max(1_024, this.rows.length * 2);
    const [codes, rows, classes, times] = [this.codes, this.rows, this.classes, this.times];
    this.codes = new Uint16Array(length * this.words);
    this.codes.set(codes);
    this.rows = new Float64Array(length);
    this.rows.set(rows);
    this.classes = new Uint32Array(length);
    this.classes.set(classes);
    this.times = new Float64Array(length);
    this.times.set(times);
  }
}
