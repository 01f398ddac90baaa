/** Bytes of the scale before the numbers of each vector. */
const scaleBytes = 4;

/** Writes vectors one after the other with 8 bits a number, which changes a cosine by less than 0.01. */
export function writeSentenceVectors(vectors: Float32Array[]): Buffer {
  return Buffer.concat(vectors.map(writeVector));
}

function writeVector(vector: Float32Array): Buffer {
  const largest = vector.reduce((max, x) => Math.max(max, Math.abs(x)), 0);
  const scale = largest / 127 || 1;
  const written = Buffer.alloc(scaleBytes + vector.length);
  written.writeFloatLE(scale);
  for (const [i, x] of vector.entries()) written.writeInt8(Math.round(x / scale), scaleBytes + i);
  return written;
}

/**
 * @param expected how many vectors were written, and how many numbers each has
 * @returns undefined when the bytes are not those of such vectors
 */
export function readSentenceVectors(
  bytes: Buffer,
  { count, dimensions }: { count: number; dimensions: number },
): Float32Array[] | undefined {
  const size = scaleBytes + dimensions;
  if (bytes.length !== count * size) return undefined;
  return Array.from({ length: count }, (_, i) => {
    const at = i * size;
    const scale = bytes.readFloatLE(at);
    return Float32Array.from(bytes.subarray(at + scaleBytes, at + size), (byte) => scale * ((byte << 24) >> 24));
  });
}
