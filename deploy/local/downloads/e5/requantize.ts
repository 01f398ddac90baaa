import { blockLength, type QuantizedTensor } from './read-e5s1.ts';

const half = blockLength / 2;

/** The 4-bit numbers of a block, from 0 to 15, in their order: those in the low halves of its bytes come first. */
const numberIn = (halves: Uint8Array, block: number, i: number): number =>
  i < half ? (halves[block * half + i] ?? 0) & 15 : (halves[block * half + i - half] ?? 0) >> 4;

/** Packs each block as onnxruntime does, with the numbers 2i and 2i + 1 in one byte. */
export function neighboursTogether(halves: Uint8Array): Uint8Array {
  const packed = new Uint8Array(halves.length);
  for (let block = 0; block < halves.length / half; block++)
    for (let i = 0; i < half; i++)
      packed[block * half + i] = numberIn(halves, block, 2 * i) | (numberIn(halves, block, 2 * i + 1) << 4);
  return packed;
}

/**
 * A matrix with signed bytes and one scale a row, transposed.
 *
 * @returns data columns × rows
 */
export function toBytes(
  { scales, halves }: QuantizedTensor,
  [rows, columns]: [number, number],
): { data: Uint8Array; scales: Float32Array } {
  const data = new Int8Array(rows * columns);
  const rowScales = new Float32Array(rows);
  const blocks = columns / blockLength;
  const row = new Float32Array(columns);
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) {
      const block = r * blocks + Math.floor(c / blockLength);
      row[c] = (numberIn(halves, block, c % blockLength) - 8) * (scales[block] ?? 0);
    }
    const largest = row.reduce((max, x) => Math.max(max, Math.abs(x)), 0);
    rowScales[r] = largest / 127;
    for (let c = 0; c < columns; c++) data[c * rows + r] = Math.round((row[c] ?? 0) / (rowScales[r] || 1));
  }
  return { data: new Uint8Array(data.buffer), scales: rowScales };
}
