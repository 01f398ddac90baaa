import { readFile } from 'node:fs/promises';
import { Tokenizer } from '@huggingface/tokenizers';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { EmbeddingModel } from './model-folder.ts';
import { meanOf, normalised, windowsOf } from './windows.ts';

/** `lead` stands before the text, and before each piece of one that is too long. */
export type EmbeddingJob = { model: EmbeddingModel; lead: string; text: string };

/** The package's own types do not resolve under Node's rules. */
type Encoder = { encode(text: string, options?: { add_special_tokens: boolean }): { ids: number[] } };
const TokenizerOf = Tokenizer as unknown as new (json: object, config: object) => Encoder;

type Loaded = {
  session: InferenceSession;
  tokens: (text: string) => number[];
  /** What stands around every text. */
  frame: { before: number[]; after: number[] };
  modelFile: string;
};
let loading: Promise<Loaded> | undefined;

/** Runs on a worker thread; see local-embedder.ts. One text at a time: 8-bit results depend on what else is in a batch. */
export async function embed({ model, lead, text }: EmbeddingJob): Promise<Float32Array> {
  const loaded = await load(model);
  const { tokens, frame } = loaded;
  const room = model.maxTokens - frame.before.length - frame.after.length;
  const vectors: { vector: Float32Array; weight: number }[] = [];
  for (const window of windowsOf(tokens(lead), tokens(text), room)) {
    const vector = await vectorOf([...frame.before, ...window.tokens, ...frame.after], model, loaded);
    vectors.push({ vector, weight: window.weight });
  }
  return meanOf(vectors);
}

async function vectorOf(tokens: number[], { pooling }: EmbeddingModel, { session }: Loaded): Promise<Float32Array> {
  const shape = [1, tokens.length];
  const feeds: Record<string, Tensor> = {
    input_ids: new Tensor('int64', BigInt64Array.from(tokens, BigInt), shape),
    // Nothing is padded, so every token counts.
    attention_mask: new Tensor('int64', new BigInt64Array(tokens.length).fill(1n), shape),
    token_type_ids: new Tensor('int64', new BigInt64Array(tokens.length), shape),
  };
  const outputs = await session.run(
    Object.fromEntries(Object.entries(feeds).filter(([name]) => session.inputNames.includes(name))),
  );
  const output = outputs[session.outputNames[0] ?? ''];
  if (!output) throw new Error('the embedding model gave no output');
  const [, length = 0, dimensions = 0] = output.dims;
  return normalised(pooled(output.data as Float32Array, length, dimensions, pooling));
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
    const tokenizer = new TokenizerOf(json, {});
    const tokens = (text: string) => tokenizer.encode(text, { add_special_tokens: false }).ids;
    return { session, tokens, frame: frameOf(tokenizer.encode('a').ids, tokens('a')), modelFile };
  })();
  return loading;
}

function frameOf(whole: number[], inner: number[]): Loaded['frame'] {
  const at = whole.indexOf(inner[0] ?? NaN);
  if (at < 0) throw new Error('the tokenizer of the embedding model has no token for the letter a');
  return { before: whole.slice(0, at), after: whole.slice(at + inner.length) };
}

function pooled(data: Float32Array, length: number, dimensions: number, pooling: 'mean' | 'cls'): Float32Array {
  if (pooling === 'cls') return data.slice(0, dimensions);
  const sum = new Float32Array(dimensions);
  for (let token = 0; token < length; token++)
    for (let i = 0; i < dimensions; i++) sum[i] = (sum[i] ?? 0) + (data[token * dimensions + i] ?? 0);
  return sum;
}
