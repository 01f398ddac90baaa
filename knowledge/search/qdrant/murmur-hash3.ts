/** MurmurHash3 (Appleby; x86, 32 bit, seed 0) of a text's UTF-8 bytes, as a signed number. */
export function murmurHash3(text: string): number {
  const bytes = Buffer.from(text);
  const blocksEnd = bytes.length & ~3;
  let hash = 0;
  for (let at = 0; at < blocksEnd; at += 4)
    hash = (rotateLeft(hash ^ mix(bytes.readInt32LE(at)), 13) * 5 + 0xe6546b64) | 0;
  let tail = 0;
  for (let at = bytes.length - 1; at >= blocksEnd; at--) tail = (tail << 8) | (bytes[at] ?? 0);
  hash ^= mix(tail) ^ bytes.length;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

const mix = (word: number) => Math.imul(rotateLeft(Math.imul(word, 0xcc9e2d51), 15), 0x1b873593);
const rotateLeft = (word: number, bits: number) => (word << bits) | (word >>> (32 - bits));
