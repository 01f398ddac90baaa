import { readFile } from 'node:fs/promises';
import { Tokenizer } from '@huggingface/tokenizers';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { EmbeddingModel } from './model-folder.ts';

export type EmbeddingJob = { model: EmbeddingModel; text: string };

/** The package's own types do not resolve under Node's rules. */
type Encoder = { encode(text: string): { ids: number[]; attention_mask: number[] } };
const TokenizerOf = Tokenizer as unknown as new (json: object, config: object) => Encoder;

type Loaded = { session: InferenceSession; tokenizer: Encoder; modelFile: string };
let loading: Promise<Loaded> | undefined;

/** Runs on a worker thread; see local-embedder.ts. One text at a time: 8-bit results depend on what else is in a batch. */
export async function embed({ model, text }: EmbeddingJob): Promise<Float32Array> {
  const { session, tokenizer } = await load(model);
  const { ids, attention_mask: mask } = tokenizer.encode(text);
  const [tokens, attended] = [cut(ids, model.maxTokens), cut(mask, model.maxTokens)];
  const shape = [1, tokens.length];
  const feeds: Record<string, Tensor> = {
    input_ids: new Tensor('int64', BigInt64Array.from(tokens, BigInt), shape),
    attention_mask: new Tensor('int64', BigInt64Array.from(attended, BigInt), shape),
    token_type_ids: new Tensor('int64', new BigInt64Array(tokens.length), shape),
  };
  const outputs = await session.run(
    Object.fromEntries(Object.entries(feeds).filter(([name]) => session.inputNames.includes(name))),
  );
  const output = outputs[session.outputNames[0] ?? ''];
  if (!output) throw new Error('the embedding model gave no output');
  const [, length = 0, dimensions = 0] = output.dims;
  return normalised(pooled(output.data as Float32Array, length, dimensions, model.pooling));
}

async function load({ modelFile, tokenizerFile }: EmbeddingModel): Promise<Loaded> {
  const before = await loading;
  if (before?.modelFile === modelFile) return before;
  loading = (async () => {
    const json = JSON.parse(await readFile(tokenizerFile, 'utf8')) as object;
    const session = await InferenceSession.create(modelFile, {
      intraOpNumThreads: 2,
      interOpNumThreads: 1,
      // A thread that spins while it waits takes the core from whoever has work.
      extra: { session: { intra_op: { allow_spinning: '0' }, inter_op: { allow_spinning: '0' } } },
    });
    return { session, tokenizer: new TokenizerOf(json, {}), modelFile };
  })();
  return loading;
}

/** The first tokens of a text that is too long, and the token that ends every one. */
const cut = (ids: number[], max: number) => (ids.length <= max ? ids : [...ids.slice(0, max - 1), ids.at(-1) ?? 0]);

function pooled(data: Float32Array, length: number, dimensions: number, pooling: 'mean' | 'cls'): Float32Array {
  if (pooling === 'cls') return data.slice(0, dimensions);
  const sum = new Float32Array(dimensions);
  // Nothing is padded, so every token counts.
  for (let token = 0; token < length; token++)
    for (let i = 0; i < dimensions; i++) sum[i] = (sum[i] ?? 0) + (data[token * dimensions + i] ?? 0);
  return sum;
}

function normalised(vector: Float32Array): Float32Array {
  let square = 0;
  for (const x of vector) square += x * x;
  const length = Math.sqrt(square) || 1;
  return vector.map((x) => x / length);
}
