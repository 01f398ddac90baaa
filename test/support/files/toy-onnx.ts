/** A field of a protobuf message, wire type 2. */
const bytes = (field: number, content: Uint8Array | string) => {
  const body = Buffer.from(content);
  return Buffer.concat([varint((field << 3) | 2), varint(body.length), body]);
};
const int = (field: number, value: number) => Buffer.concat([varint(field << 3), varint(value)]);
const message = (field: number, ...parts: Uint8Array[]) => bytes(field, Buffer.concat(parts));

function varint(value: number): Buffer {
  const encoded: number[] = [];
  let rest = value;
  while (rest >= 128) {
    encoded.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  return Buffer.from([...encoded, rest]);
}

const [float, int64] = [1, 7];
/** The ValueInfoProto of a tensor with named dimensions. */
const value = (field: number, name: string, type: number, dimensions: string[]) => {
  const shape = message(2, ...dimensions.map((dimension) => message(1, bytes(2, dimension))));
  return message(field, bytes(1, name), message(2, message(1, int(1, type), shape)));
};

/**
 * An ONNX model (onnx.proto3, IR version 8) that only looks up a vector for each token.
 *
 * @param table one row for each token
 */
export function toyOnnx(table: number[][]): Buffer {
  const columns = table[0]?.length ?? 0;
  const rows = Buffer.from(Float32Array.from(table.flat()).buffer);
  const initializer = message(
    5,
    int(1, table.length),
    int(1, columns),
    int(2, float),
    bytes(8, 'table'),
    bytes(9, rows),
  );
  const node = message(1, bytes(1, 'table'), bytes(1, 'input_ids'), bytes(2, 'vectors'), bytes(4, 'Gather'));
  const input = value(11, 'input_ids', int64, ['batch', 'tokens']);
  const output = value(12, 'vectors', float, ['batch', 'tokens', 'numbers']);
  const graph = message(7, node, bytes(2, 'toy'), initializer, input, output);
  return Buffer.concat([int(1, 8), graph, message(8, bytes(1, ''), int(2, 13))]);
}

/** The initializer of a graph. */
const constant = (name: string, type: number, dimensions: number[], raw: ArrayBufferLike) =>
  message(
    5,
    ...dimensions.map((dimension) => int(1, dimension)),
    int(2, type),
    bytes(8, name),
    bytes(9, Buffer.from(raw)),
  );
const node = (kind: string, inputs: string[], output: string, ...attributes: Uint8Array[]) =>
  message(1, ...inputs.map((input) => bytes(1, input)), bytes(2, output), bytes(4, kind), ...attributes);

/**
 * An ONNX model with the inputs and the output of a cross-encoder. Its logit is the sum of the weights of the tokens
 * that belong to the second text.
 *
 * @param weights one for each token
 */
export function toyCrossEncoder(weights: number[]): Buffer {
  const graph = message(
    7,
    node('Gather', ['weights', 'input_ids'], 'each'),
    node('Cast', ['token_type_ids'], 'second', message(5, bytes(1, 'to'), int(3, float), int(20, 2))),
    node('Mul', ['each', 'second'], 'counted'),
    node('ReduceSum', ['counted', 'axes'], 'logits'),
    bytes(2, 'toy'),
    constant('weights', float, [weights.length], Float32Array.from(weights).buffer),
    constant('axes', int64, [1], BigInt64Array.of(1n).buffer),
    value(11, 'input_ids', int64, ['batch', 'tokens']),
    value(11, 'token_type_ids', int64, ['batch', 'tokens']),
    value(12, 'logits', float, ['batch', 'one']),
  );
  return Buffer.concat([int(1, 8), graph, message(8, bytes(1, ''), int(2, 13))]);
}

/**
 * The tokenizer.json of a tokenizer for single words. The token `a`, also used for unknown words, has the id 2; `words`
 * follow from 3. The tokens 0 and 1 enclose a text.
 *
 * @param pairs whether it has a template for two texts
 */
export function toyTokenizer(words: string[], { pairs = false } = {}): string {
  const vocab = Object.fromEntries(['[CLS]', '[SEP]', 'a', ...words].map((word, id) => [word, id]));
  const special = (id: string) => ({ [id]: { id, ids: [vocab[id]], tokens: [id] } });
  return JSON.stringify({
    version: '1.0',
    added_tokens: ['[CLS]', '[SEP]'].map((content) => ({ id: vocab[content], content, special: true })),
    normalizer: null,
    pre_tokenizer: { type: 'WhitespaceSplit' },
    post_processor: {
      type: 'TemplateProcessing',
      single: [
        { SpecialToken: { id: '[CLS]', type_id: 0 } },
        { Sequence: { id: 'A', type_id: 0 } },
        { SpecialToken: { id: '[SEP]', type_id: 0 } },
      ],
      pair: pairs
        ? [
            { SpecialToken: { id: '[CLS]', type_id: 0 } },
            { Sequence: { id: 'A', type_id: 0 } },
            { SpecialToken: { id: '[SEP]', type_id: 0 } },
            { Sequence: { id: 'B', type_id: 1 } },
            { SpecialToken: { id: '[SEP]', type_id: 1 } },
          ]
        : [],
      special_tokens: { ...special('[CLS]'), ...special('[SEP]') },
    },
    decoder: null,
    model: { type: 'WordLevel', vocab, unk_token: 'a' },
  });
}
