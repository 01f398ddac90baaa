import { seededRandom } from '../../../cli/eval/seeded-random.ts';

/** A BERT encoder with random weights, as `writeE5s1` writes it and `encode` computes it. */
export type ToyEncoder = {
  hidden: number;
  layers: number;
  heads: number;
  feedForward: number;
  maxTokens: number;
  pieces: [string, number][];
  tensors: Map<string, { quantized: boolean; numbers: number[] }>;
};

const block = 32;
const epsilon = 1e-12;

export function randomEncoder(): ToyEncoder {
  const random = seededRandom(7);
  const [hidden, layers, heads, feedForward, maxTokens] = [64, 2, 4, 128, 16];
  const special = ['<s>', '<pad>', '</s>', '<unk>'].map((piece): [string, number] => [piece, 0]);
  const pieces = [
    ...special,
    ...['▁a', '▁dog', '▁cat', 's', '▁leave', 'é'].map((piece): [string, number] => [piece, -2]),
  ];
  const tensors: ToyEncoder['tensors'] = new Map();
  const floats = (name: string, length: number, around = 0) =>
    tensors.set(name, { quantized: false, numbers: Array.from({ length }, () => around + (random() - 0.5) / 5) });
  // Whole numbers from -8 to 7 times a scale that half precision holds exactly.
  const quantized = (name: string, length: number) =>
    tensors.set(name, {
      quantized: true,
      numbers: Array.from({ length }, () => (Math.floor(random() * 16) - 8) / 32),
    });
  quantized('emb.word', pieces.length * hidden);
  floats('emb.pos', maxTokens * hidden);
  floats('emb.type', 2 * hidden);
  const norm = (name: string) => [floats(`${name}.w`, hidden, 1), floats(`${name}.b`, hidden)];
  norm('emb.ln');
  for (let layer = 0; layer < layers; layer++) {
    const linear = (name: string, rows: number, columns: number) => {
      quantized(`l${layer}.${name}.w`, rows * columns);
      floats(`l${layer}.${name}.b`, rows);
    };
    for (const name of ['q', 'k', 'v', 'ao']) linear(name, hidden, hidden);
    linear('fi', feedForward, hidden);
    linear('fo', hidden, feedForward);
    norm(`l${layer}.aln`);
    norm(`l${layer}.oln`);
  }
  return { hidden, layers, heads, feedForward, maxTokens, pieces, tensors };
}

/** The vectors of tokens, computed the plain way (Devlin et al. 2018). */
export function encode({ hidden, layers, heads, feedForward, tensors }: ToyEncoder, ids: number[]): number[][] {
  const numbers = (name: string) => tensors.get(name)?.numbers ?? [];
  const linear = (rows: number[][], name: string, width: number) =>
    rows.map((row) =>
      Array.from(
        { length: width },
        (_, r) =>
          row.reduce((sum, x, c) => sum + x * (numbers(`${name}.w`)[r * row.length + c] ?? 0), 0) +
          (numbers(`${name}.b`)[r] ?? 0),
      ),
    );
  const normalized = (rows: number[][], name: string) =>
    rows.map((row) => {
      const mean = row.reduce((sum, x) => sum + x, 0) / row.length;
      const variance = row.reduce((sum, x) => sum + (x - mean) ** 2, 0) / row.length;
      return row.map(
        (x, i) =>
          ((x - mean) / Math.sqrt(variance + epsilon)) * (numbers(`${name}.w`)[i] ?? 0) +
          (numbers(`${name}.b`)[i] ?? 0),
      );
    });
  const sum = (a: number[][], b: number[][]) => a.map((row, i) => row.map((x, j) => x + (b[i]?.[j] ?? 0)));
  const at = (name: string, i: number) => numbers(name).slice(i * hidden, (i + 1) * hidden);
  let state = normalized(
    ids.map((id, i) => at('emb.word', id).map((x, j) => x + (at('emb.pos', i)[j] ?? 0) + (at('emb.type', 0)[j] ?? 0))),
    'emb.ln',
  );
  for (let layer = 0; layer < layers; layer++) {
    const name = (part: string) => `l${layer}.${part}`;
    const [query = [], key = [], value = []] = ['q', 'k', 'v'].map((part) => linear(state, name(part), hidden));
    const attended = attention({ query, key, value }, hidden / heads);
    const between = normalized(sum(linear(attended, name('ao'), hidden), state), name('aln'));
    const active = linear(between, name('fi'), feedForward).map((row) => row.map(gelu));
    state = normalized(sum(linear(active, name('fo'), hidden), between), name('oln'));
  }
  return state;
}

function attention({ query, key, value }: Record<'query' | 'key' | 'value', number[][]>, size: number): number[][] {
  return query.map((row) =>
    row.map((_, column) => {
      const from = Math.floor(column / size) * size;
      const scores = key.map((other) => {
        let product = 0;
        for (let i = from; i < from + size; i++) product += (row[i] ?? 0) * (other[i] ?? 0);
        return Math.exp(product / Math.sqrt(size));
      });
      const total = scores.reduce((all, score) => all + score, 0);
      return scores.reduce((all, score, i) => all + (score / total) * (value[i]?.[column] ?? 0), 0);
    }),
  );
}

/** x times the share of the normal distribution below x, by the error function of Abramowitz and Stegun 7.1.26. */
function gelu(x: number): number {
  const z = Math.abs(x) / Math.SQRT2;
  const t = 1 / (1 + 0.3275911 * z);
  const series = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t;
  const error = 1 - series * Math.exp(-z * z);
  return 0.5 * x * (1 + Math.sign(x) * error);
}

/** The encoder as a file in the format E5S1. */
export function writeE5s1({ hidden, layers, heads, feedForward, maxTokens, pieces, tensors }: ToyEncoder): Buffer {
  const ints = (...values: number[]) => Buffer.from(Int32Array.from(values).buffer);
  const floats = (values: number[]) => Buffer.from(Float32Array.from(values).buffer);
  const long = (value: number) => Buffer.from(BigUint64Array.of(BigInt(value)).buffer);
  const texts = pieces.map(([piece]) => Buffer.from(piece));
  const offsets = texts.reduce((list, text) => [...list, (list.at(-1) ?? 0) + text.length], [0]);
  const head = Buffer.concat([
    Buffer.from('E5S1'),
    ints(1, hidden, layers, heads, feedForward, pieces.length, maxTokens, 2),
    floats([epsilon]),
    ints(block, pieces.length, 0, 2, 1, 3),
    long(offsets.at(-1) ?? 0),
    ints(...offsets),
    floats(pieces.map(([, score]) => score)),
    ...texts,
    ints(0, 0, tensors.size),
  ]);
  const data = [...tensors].map(([name, { quantized, numbers }]) => ({
    name: Buffer.from(name),
    count: numbers.length,
    bytes: quantized ? quantize(numbers) : floats(numbers),
  }));
  let at = head.length + data.reduce((length, { name }) => length + 2 + name.length + 1 + 4 + 16, 0);
  const directory = data.map(({ name, count, bytes }) => {
    const length = Buffer.alloc(2);
    length.writeUInt16LE(name.length);
    const entry = Buffer.concat([length, name, Buffer.of(0), ints(count), long(at), long(bytes.length)]);
    at += bytes.length;
    return entry;
  });
  return Buffer.concat([head, ...directory, ...data.map(({ bytes }) => bytes)]);
}

/** Blocks of a scale of 1/32 in half precision, and 32 numbers of 4 bits. */
function quantize(numbers: number[]): Buffer {
  const written: number[] = [];
  for (let from = 0; from < numbers.length; from += block) {
    const levels = numbers.slice(from, from + block).map((x) => Math.round(x * 32) + 8);
    written.push(0x00, 0x28);
    for (let i = 0; i < block / 2; i++) written.push((levels[i] ?? 8) | ((levels[i + block / 2] ?? 8) << 4));
  }
  return Buffer.from(written);
}
