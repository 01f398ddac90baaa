import { readFile } from 'node:fs/promises';
import { Tokenizer } from '@huggingface/tokenizers';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { pairTemplateOf, pairTokens, type PairEncoding, type PairTemplate } from './pair-tokens.ts';

export type CrossEncoder = { modelFile: string; tokenizerFile: string; maxTokens: number };
export type ScoringJob = { model: CrossEncoder; query: string; passage: string };

/** A replacement for the package's own types, which TypeScript cannot resolve. */
type EncodeOptions = { text_pair?: string; add_special_tokens?: boolean; return_token_type_ids?: boolean };
type Encoder = { encode(text: string, options?: EncodeOptions): PairEncoding };
const TokenizerOf = Tokenizer as unknown as new (json: object, config: object) => Encoder;

type LoadedModel = {
  session: InferenceSession;
  encode: (text: string) => number[];
  template: PairTemplate;
  modelFile: string;
};
let loading: Promise<LoadedModel> | undefined;

/**
 * Scores a passage for a query on a worker thread (see model-thread.ts). Passages are not batched: with 8-bit weights,
 * a score would depend on the other passages in its batch.
 *
 * @returns from 0 to 1: the logistic function of the model's only output
 */
export async function score({ model, query, passage }: ScoringJob): Promise<number> {
  const { session, encode, template } = await load(model);
  const { maxTokens } = model;
  const { ids, types } = pairTokens(template, { query: encode(query), passage: encode(passage), maxTokens });
  const shape = [1, ids.length];
  const feeds: Record<string, Tensor> = {
    input_ids: new Tensor('int64', BigInt64Array.from(ids, BigInt), shape),
    // There is no padding, so every token counts.
    attention_mask: new Tensor('int64', new BigInt64Array(ids.length).fill(1n), shape),
    token_type_ids: new Tensor('int64', BigInt64Array.from(types, BigInt), shape),
  };
  const outputs = await session.run(
    Object.fromEntries(Object.entries(feeds).filter(([name]) => session.inputNames.includes(name))),
  );
  const numbers = outputs[session.outputNames[0] ?? '']?.data;
  const [logit] = numbers ?? [];
  if (numbers?.length !== 1 || typeof logit !== 'number')
    throw new Error(`it gives ${numbers?.length ?? 'no'} numbers for a passage, and a reranker gives one`);
  return 1 / (1 + Math.exp(-logit));
}

/** Loads the model once. It stays in memory as long as the thread lives. One that cannot be loaded is tried again. */
async function load(model: CrossEncoder): Promise<LoadedModel> {
  const loaded = await loading;
  if (loaded?.modelFile === model.modelFile) return loaded;
  loading = read(model);
  loading.catch(() => {
    loading = undefined;
  });
  return loading;
}

async function read({ modelFile, tokenizerFile }: CrossEncoder): Promise<LoadedModel> {
  const tokenizer = new TokenizerOf(JSON.parse(await readFile(tokenizerFile, 'utf8')) as object, {});
  const encode = (text: string) => tokenizer.encode(text, { add_special_tokens: false }).ids;
  const pair = tokenizer.encode('a', { text_pair: 'b', return_token_type_ids: true });
  const template = pairTemplateOf(pair, encode('a'), encode('b'));
  if (!template) throw new Error('its tokenizer does not take two texts');
  const session = await InferenceSession.create(modelFile, {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    // A thread that spins while it waits would take the core from threads that have work.
    // Products of 8-bit numbers overflow on processors without VNNI: there it multiplies in a slower, exact way.
    extra: {
      session: { intra_op: { allow_spinning: '0' }, inter_op: { allow_spinning: '0' }, x64quantprecision: '1' },
    },
  });
  return { session, encode, template, modelFile };
}
