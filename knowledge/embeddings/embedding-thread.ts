import { readFile } from 'node:fs/promises';
import { Tokenizer } from '@huggingface/tokenizers';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { PassageVectors } from '../../contract/ports/index.ts';
import type { EmbeddingModel } from './model-folder.ts';
import { addTo, tokenWindows, toUnitLength, weightedMean } from './token-windows.ts';

/**
 * @property prefix    put before the text. A text that is too long is split, and each part gets the prefix
 * @property sentences the text in parts, which together are the whole text
 */
export type EmbeddingJob = { model: EmbeddingModel; prefix: string; sentences: string[] };

/** A replacement for the package's own types, which TypeScript cannot resolve. */
type Encoder = { encode(text: string, options?: { add_special_tokens: boolean }): { ids: number[] } };
const TokenizerOf = Tokenizer as unknown as new (json: object, config: object) => Encoder;

type LoadedModel = {
  session: InferenceSession;
  encode: (text: string) => number[];
  /** The special tokens around every text, like [CLS] and [SEP]. */
  specialTokens: { before: number[]; after: number[] };
};
let loading: { modelFile: string; loaded: Promise<LoadedModel> } | undefined;

/** A token, and the number of the sentence that it belongs to; -1 outside of all. */
type Token = { id: number; sentence: number };
const outside = (id: number): Token => ({ id, sentence: -1 });

/**
 * Embeds a text and its sentences on a worker thread (see local-embedder.ts), with one run of the model: a sentence's
 * vector is the mean of its tokens' vectors, which know the text around it (late chunking, Günther et al. 2024,
 * arXiv 2409.04701). Texts are not batched: with 8-bit weights, a vector would depend on the other texts in its batch.
 */
export async function embed({ model, prefix, sentences }: EmbeddingJob): Promise<PassageVectors> {
  const loaded = await load(model);
  const { encode, specialTokens } = loaded;
  const maxTokens = model.maxTokens - specialTokens.before.length - specialTokens.after.length;
  const text = sentences.flatMap((part, sentence) => encode(part).map((id): Token => ({ id, sentence })));
  const vectors: { vector: Float32Array; weight: number }[] = [];
  const sums: Float32Array[] = [];
  for (const window of tokenWindows(encode(prefix).map(outside), text, maxTokens)) {
    const tokens = [...specialTokens.before.map(outside), ...window.tokens, ...specialTokens.after.map(outside)];
    const rows = await vectorsOf(tokens, loaded);
    vectors.push({ vector: pool(rows, model.pooling), weight: window.weight });
    for (const [i, { sentence }] of tokens.entries())
      if (sentence >= 0) addTo((sums[sentence] ??= new Float32Array(rows.dimensions)), rowOf(rows, i));
  }
  const vector = weightedMean(vectors);
  const empty = new Float32Array(vector.length);
  return { vector, sentences: sentences.map((_, i) => toUnitLength(sums[i] ?? empty)) };
}

/** The vectors of tokens, one after the other. */
type Rows = { data: Float32Array; length: number; dimensions: number };

const rowOf = ({ data, dimensions }: Rows, i: number) => data.subarray(i * dimensions, (i + 1) * dimensions);

async function vectorsOf(tokens: Token[], { session }: LoadedModel): Promise<Rows> {
  const shape = [1, tokens.length];
  const feeds: Record<string, Tensor> = {
    input_ids: new Tensor(
      'int64',
      BigInt64Array.from(tokens, ({ id }) => BigInt(id)),
      shape,
    ),
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
  return { data: output.data as Float32Array, length, dimensions };
}

/** Loads the model once. It stays in memory as long as the thread lives. */
function load({ modelFile, tokenizerFile }: EmbeddingModel): Promise<LoadedModel> {
  if (loading?.modelFile === modelFile) return loading.loaded;
  const loaded = loadModel(modelFile, tokenizerFile);
  loading = { modelFile, loaded };
  // A failure is not kept: the next text tries again.
  loaded.catch(() => (loading = undefined));
  return loaded;
}

async function loadModel(modelFile: string, tokenizerFile: string): Promise<LoadedModel> {
  const json = JSON.parse(await readFile(tokenizerFile, 'utf8')) as object;
  // One thread a text: texts that run side by side make more of the processors than threads that share a text.
  const session = await InferenceSession.create(modelFile, {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    // Products of 8-bit numbers overflow on processors without VNNI: there it multiplies in a slower, exact way.
    extra: { session: { x64quantprecision: '1' } },
  });
  const tokenizer = new TokenizerOf(json, {});
  const encode = (text: string) => tokenizer.encode(text, { add_special_tokens: false }).ids;
  return { session, encode, specialTokens: specialTokensAround(tokenizer.encode('a').ids, encode('a')) };
}

/** @param tokens of a text with its special tokens; `textTokens` are those of the same text without them */
function specialTokensAround(tokens: number[], textTokens: number[]): LoadedModel['specialTokens'] {
  const at = tokens.indexOf(textTokens[0] ?? NaN);
  if (at < 0) throw new Error('the tokenizer of the embedding model has no token for the letter a');
  return { before: tokens.slice(0, at), after: tokens.slice(at + textTokens.length) };
}

/** Reduces the vectors of all tokens to one of length 1: the first (`cls`), or their mean. */
function pool(rows: Rows, pooling: 'mean' | 'cls'): Float32Array {
  if (pooling === 'cls') return toUnitLength(rowOf(rows, 0));
  const sum = new Float32Array(rows.dimensions);
  for (let token = 0; token < rows.length; token++) addTo(sum, rowOf(rows, token));
  return toUnitLength(sum);
}
