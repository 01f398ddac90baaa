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
 * The tokenizer.json of a tokenizer for single words. The token `a`, also used for unknown words, has the id 2; `words`
 * follow from 3. The tokens 0 and 1 enclose a text.
 */
export function toyTokenizer(words: string[]): string {
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
      pair: [],
      special_tokens: { ...special('[CLS]'), ...special('[SEP]') },
    },
    decoder: null,
    model: { type: 'WordLevel', vocab, unk_token: 'a' },
  });
}
