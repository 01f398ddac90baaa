import { onnxTypes, writeOnnx, type Initializer, type Node } from './onnx-writer.ts';
import { blockLength, type EncoderFile } from './read-e5s1.ts';
import { neighboursTogether, toBytes } from './requantize.ts';

/** The operator set of onnxruntime's own operators. */
const microsoft = 'com.microsoft';
const bytesOf = (data: Float32Array | BigInt64Array) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

/**
 * A BERT encoder as an ONNX model: `input_ids` and `attention_mask` (int64, batch × tokens) in, `last_hidden_state`
 * (float, batch × tokens × hidden) out.
 *
 * Weights get 8 bits and what is multiplied by them is rounded to 8 bits too, as in the models of the hub whose name
 * says int8: on two processors this took a third of the time that the 4-bit weights took as they are.
 */
export function encoderModel(file: EncoderFile, name: string): Buffer {
  const { hidden, layers } = file;
  const graph = createGraph(file);
  addEmbeddings(graph, file);
  let state = 'layer0';
  for (let layer = 0; layer < layers; layer++) {
    const output = layer + 1 === layers ? 'last_hidden_state' : `layer${layer + 1}`;
    addLayer(graph, file, { layer, input: state, output });
    state = output;
  }
  return writeOnnx({
    name,
    operatorSets: { '': 17, [microsoft]: 1 },
    inputs: ['input_ids', 'attention_mask'].map((input) => ({
      name: input,
      type: onnxTypes.int64,
      shape: ['batch', 'tokens'],
    })),
    outputs: [{ name: 'last_hidden_state', type: onnxTypes.float, shape: ['batch', 'tokens', hidden] }],
    ...graph.parts,
  });
}

type Graph = ReturnType<typeof createGraph>;

function createGraph(file: EncoderFile) {
  const initializers: Initializer[] = [];
  const nodes: Node[] = [];
  const constant = (name: string, shape: number[], type: number, data: Uint8Array) => {
    initializers.push({ name, shape, type, data });
    return name;
  };
  const floats = (name: string, data: Float32Array, shape = [data.length]) =>
    constant(name, shape, onnxTypes.float, bytesOf(data));
  const add = (
    operator: string,
    inputs: string[],
    output: string,
    options: Pick<Node, 'attributes' | 'domain'> = {},
  ) => {
    nodes.push({ operator, inputs, outputs: [output], ...options });
    return output;
  };
  return {
    parts: { initializers, nodes },
    constant,
    floats,
    integer: (name: string, value: number) =>
      constant(name, [1], onnxTypes.int64, bytesOf(BigInt64Array.of(BigInt(value)))),
    add,
    addNode: (node: Node) => nodes.push(node),

    /** input × weightsᵀ + bias */
    linear(input: string, name: string, [rows, columns]: [number, number]): string {
      const { data, scales } = toBytes(file.quantized(`${name}.w`), [rows, columns]);
      return add(
        'DynamicQuantizeMatMul',
        [
          input,
          constant(`${name}.w`, [columns, rows], onnxTypes.int8, data),
          floats(`${name}.scales`, scales),
          constant(`${name}.zero`, [rows], onnxTypes.int8, new Uint8Array(rows)),
          floats(`${name}.b`, file.floats(`${name}.b`)),
        ],
        `${name}.out`,
        { domain: microsoft },
      );
    },

    /** Layer normalisation of a sum. Two operators: onnxruntime's one for both took six times as long. */
    normalizedSum: (inputs: [string, string], name: string, output: string) =>
      add(
        'LayerNormalization',
        [
          add('Add', inputs, `${name}.sum`),
          floats(`${name}.w`, file.floats(`${name}.w`)),
          floats(`${name}.b`, file.floats(`${name}.b`)),
        ],
        output,
        { attributes: { axis: { int: 2 }, epsilon: { float: file.epsilon } } },
      ),
  };
}

/** The sum of a token's vector, its position's and the one token type's that the model uses. */
function addEmbeddings({ add, constant, floats, integer, normalizedSum }: Graph, file: EncoderFile): void {
  const { hidden, maxTokens } = file;
  const words = file.quantized('emb.word');
  const blocks = hidden / blockLength;
  const pieces = words.scales.length / blocks;
  add(
    'GatherBlockQuantized',
    [
      constant('emb.word', [pieces, hidden / 2], onnxTypes.uint8, neighboursTogether(words.halves)),
      'input_ids',
      floats('emb.word.scales', words.scales, [pieces, blocks]),
    ],
    'words',
    {
      domain: microsoft,
      attributes: {
        bits: { int: 4 },
        block_size: { int: blockLength },
        gather_axis: { int: 0 },
        quantize_axis: { int: 1 },
      },
    },
  );
  const type = file.floats('emb.type');
  const positions = file.floats('emb.pos').map((x, i) => x + (type[i % hidden] ?? 0));
  floats('emb.pos', positions, [maxTokens, hidden]);
  add('Shape', ['input_ids'], 'length', { attributes: { start: { int: 1 }, end: { int: 2 } } });
  add('Slice', ['emb.pos', integer('first', 0), 'length', integer('rows', 0)], 'positions');
  normalizedSum(['words', 'positions'], 'emb.ln', 'layer0');
  add('Cast', ['attention_mask'], 'mask', { attributes: { to: { int: onnxTypes.int32 } } });
}

/** Attention and feed-forward, each added to what came in and normalised. */
function addLayer(graph: Graph, file: EncoderFile, at: { layer: number; input: string; output: string }): void {
  const { hidden, feedForward } = file;
  const name = (part: string) => `l${at.layer}.${part}`;
  const attention = addAttention(graph, file, at);
  const attended = graph.linear(attention, name('ao'), [hidden, hidden]);
  const between = graph.normalizedSum([attended, at.input], name('aln'), name('between'));
  const wide = graph.linear(between, name('fi'), [feedForward, hidden]);
  const active = graph.add('Gelu', [wide], name('gelu'), { domain: microsoft });
  const narrow = graph.linear(active, name('fo'), [hidden, feedForward]);
  graph.normalizedSum([narrow, between], name('oln'), at.output);
}

/** One matrix for queries, keys and values, side by side. */
function addAttention(
  { add, addNode, constant, floats }: Graph,
  { hidden, heads, ...file }: EncoderFile,
  { layer, input }: { layer: number; input: string },
): string {
  const name = (part: string) => `l${layer}.${part}`;
  const parts = ['q', 'k', 'v'].map((part) => toBytes(file.quantized(name(`${part}.w`)), [hidden, hidden]));
  const width = 3 * hidden;
  const weights = new Uint8Array(hidden * width);
  for (const [i, { data }] of parts.entries())
    for (let row = 0; row < hidden; row++)
      weights.set(data.subarray(row * hidden, (row + 1) * hidden), row * width + i * hidden);
  const bias = ['q', 'k', 'v'].map((part) => file.floats(name(`${part}.b`)));
  const [rounded, scale, zero] = [name('x'), name('x.scale'), name('x.zero')];
  addNode({ operator: 'DynamicQuantizeLinear', inputs: [input], outputs: [rounded, scale, zero] });
  return add(
    'QAttention',
    [
      rounded,
      constant(name('qkv.w'), [hidden, width], onnxTypes.int8, weights),
      floats(name('qkv.b'), joined(bias)),
      scale,
      floats(name('qkv.scales'), joined(parts.map(({ scales }) => scales))),
      'mask',
      zero,
      constant(name('qkv.zero'), [width], onnxTypes.int8, new Uint8Array(width)),
    ],
    name('attention'),
    { domain: microsoft, attributes: { num_heads: { int: heads } } },
  );
}

const joined = (lists: Float32Array[]) => Float32Array.from(lists.flatMap((list) => [...list]));
