import { readFile } from 'node:fs/promises';
import { Tokenizer } from '@huggingface/tokenizers';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { EmbeddingModel } from './model-folder.ts';
import { tokenWindows, toUnitLength, weightedMean } from './token-windows.ts';

/** The prefix is put before the text. A text that is too long is split, and each part gets the prefix. */
export type EmbeddingJob = { model: EmbeddingModel; prefix: string; text: string };

/** A replacement for the package's own types, which TypeScript cannot resolve. */
type Encoder = { encode(text: string, options?: { add_special_tokens: boolean }): { ids: number[] } };
const TokenizerOf = Tokenizer as unknown as new (json: object, config: object) => Encoder;

type LoadedModel = {
  session: InferenceSession;
  encode: (text: string) => number[];
  /** The special tokens around every text, like [CLS] and [SEP]. */
  specialTokens: { before: number[]; after: number[] };
  modelFile: string;
};
let loading: Promise<LoadedModel> | undefined;

/**
 * Embeds a text on a worker thread (see local-embedder.ts). Texts are not batched:
 * with 8-bit weights, a vector would depend on the other texts in its batch.
 */
export async function embed({ model, prefix, text }: EmbeddingJob): Promise<Float32Array> {
  const loaded = await load(model);
  const { encode, specialTokens } = loaded;
  const maxTokens = model.maxTokens - specialTokens.before.length - specialTokens.after.length;
  const vectors: { vector: Float32Array; weight: number }[] = [];
  for (const window of tokenWindows(encode(prefix), encode(text), maxTokens)) {
    const tokens = [...specialTokens.before, ...window.tokens, ...specialTokens.after];
    const vector = await embedTokens(tokens, model, loaded);
    vectors.push({ vector, weight: window.weight });
  }
  return weightedMean(vectors);
}

async function embedTokens(
  tokens: number[],
  { pooling }: EmbeddingModel,
  { session }: LoadedModel,
): Promise<Float32Array> {
  const shape = [1, tokens.length];
  const feeds: Record<string, Tensor> = {
    input_ids: new Tensor('int64', BigInt64Array.from(tokens, BigInt), shape),
    // There is no padding, so every token counts.
    attention_mask: new Tensor('int64', new BigInt64Array(tokens.length).fill(1n), shape),
    token_type_ids: new Tensor('int64', new BigInt64Array(tokens.length), shape),
  };
  const outputs = await session.run(
    Object.fromEntries(Object.entries(feeds).filter(([name]) => session.inputNames.includes(name))),
  );
  const output = outputs[session.outputNames[0] ?? ''];
  if (!output) throw new Error('the embedding model gave no output');
  const [, length = 0, dimensions = 0] = output.dims;
  return toUnitLength(pool(output.data as Float32Array, length, dimensions, pooling));
}

/** Loads the model once. It stays in memory as long as the thread lives. */
async function load({ modelFile, tokenizerFile }: EmbeddingModel): Promise<LoadedModel> {
  const loaded = await loading;
  if (loaded?.modelFile === modelFile) return loaded;
  loading = (async () => {
    const json = JSON.parse(await readFile(tokenizerFile, 'utf8')) as object;
    const session = await InferenceSession.create(modelFile, {
      intraOpNumThreads: 2,
      interOpNumThreads: 1,
      // A thread that spins while it waits would take the core from threads that have work.
      extra: { session: { intra_op: { allow_spinning: '0' }, inter_op: { allow_spinning: '0' } } },
    });
    const tokenizer = new TokenizerOf(json, {});
    const encode = (text: string) => tokenizer.encode(text, { add_special_tokens: false }).ids;
    const specialTokens = specialTokensAround(tokenizer.encode('a').ids, encode('a'));
    return { session, encode, specialTokens, modelFile };
  })();
  return loading;
}

/** @param tokens of a text with its special tokens; `textTokens` are those of the same text without them */
function specialTokensAround(tokens: number[], textTokens: number[]): LoadedModel['specialTokens'] {
  const at = tokens.indexOf(textTokens[0] ?? NaN);
  if (at < 0) throw new Error('the tokenizer of the embedding model has no token for the letter a');
  return { before: tokens.slice(0, at), after: tokens.slice(at + textTokens.length) };
}

/** Reduces the vectors of all tokens to one: the first (`cls`), or the sum, which has the direction of the mean. */
function pool(data: Float32Array, length: number, dimensions: number, pooling: 'mean' | 'cls'): Float32Array {
  if (pooling === 'cls') return data.slice(0, dimensions);
  const sum = new Float32Array(dimensions);
  for (let token = 0; token < length; token++)
    for (let i = 0; i < dimensions; i++) sum[i] = (sum[i] ?? 0) + (data[token * dimensions + i] ?? 0);
  return sum;
}
