import { onnxTypes, writeOnnx } from '../../../deploy/local/downloads/e5/onnx-writer.ts';

/**
 * An ONNX model that only looks up a vector for each token.
 *
 * @param table one row for each token
 */
export function toyOnnx(table: number[][]): Buffer {
  const columns = table[0]?.length ?? 0;
  const rows = new Uint8Array(Float32Array.from(table.flat()).buffer);
  return writeOnnx({
    name: 'toy',
    operatorSets: { '': 13 },
    inputs: [{ name: 'input_ids', type: onnxTypes.int64, shape: ['batch', 'tokens'] }],
    outputs: [{ name: 'vectors', type: onnxTypes.float, shape: ['batch', 'tokens', 'numbers'] }],
    initializers: [{ name: 'table', type: onnxTypes.float, shape: [table.length, columns], data: rows }],
    nodes: [{ operator: 'Gather', inputs: ['table', 'input_ids'], outputs: ['vectors'] }],
  });
}

/**
 * An ONNX model with the inputs and the output of a cross-encoder. Its logit is the sum of the weights of the tokens
 * that belong to the second text.
 *
 * @param weights one for each token
 */
export function toyCrossEncoder(weights: number[]): Buffer {
  const { float, int64 } = onnxTypes;
  const input = (name: string) => ({ name, type: int64, shape: ['batch', 'tokens'] });
  return writeOnnx({
    name: 'toy',
    operatorSets: { '': 13 },
    inputs: [input('input_ids'), input('token_type_ids')],
    outputs: [{ name: 'logits', type: float, shape: ['batch', 'one'] }],
    initializers: [
      {
        name: 'weights',
        type: float,
        shape: [weights.length],
        data: new Uint8Array(Float32Array.from(weights).buffer),
      },
      { name: 'axes', type: int64, shape: [1], data: new Uint8Array(BigInt64Array.of(1n).buffer) },
    ],
    nodes: [
      { operator: 'Gather', inputs: ['weights', 'input_ids'], outputs: ['each'] },
      { operator: 'Cast', inputs: ['token_type_ids'], outputs: ['second'], attributes: { to: { int: float } } },
      { operator: 'Mul', inputs: ['each', 'second'], outputs: ['counted'] },
      { operator: 'ReduceSum', inputs: ['counted', 'axes'], outputs: ['logits'] },
    ],
  });
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
