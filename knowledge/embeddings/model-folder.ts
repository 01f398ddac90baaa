import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { parseJson } from '../../contract/json.ts';
import { hashFile } from '../../runtime/hash.ts';

/** The content of `alfred-model.json`. */
const Description = z.strictObject({
  name: z.string().regex(/^[\w.-]{1,80}$/, 'letters, digits, dots and hyphens'),
  /** How the vectors of a text's tokens are reduced to one: their mean, or the vector of the first token. */
  pooling: z.enum(['mean', 'cls']).default('mean'),
  maxTokens: z.int().min(16).max(8_192).default(256),
  queryPrefix: z.string().max(500).default(''),
  passagePrefix: z.string().max(500).default(''),
  /** See `Embedder.evidence`. Without it the model is not calibrated, and searches are judged by words. */
  evidence: z
    .strictObject({
      strong: z.number().min(-1).max(1),
      weak: z.number().min(-1).max(1),
      chance: z.number().min(0).max(0.1).default(0.01),
      spread: z.number().min(0).max(1).default(0.15),
      surroundings: z.number().min(0).max(1).optional(),
    })
    .refine(({ strong, weak }) => weak < strong, { error: 'expected weak below strong' })
    .optional(),
  /** Of versions before `evidence`; no longer used. */
  relevantFrom: z.number().min(0).max(2).optional(),
});

/** What a folder's `alfred-model.json` may say. */
export type ModelDescription = z.input<typeof Description>;

export type EmbeddingModel = Omit<z.output<typeof Description>, 'relevantFrom'> & {
  dir: string;
  modelFile: string;
  tokenizerFile: string;
};

/** Without `alfred-model.json`: all-MiniLM-L6-v2 (sentence-transformers, Apache-2.0) with 8-bit weights. */
const defaultDescription = {
  name: 'all-MiniLM-L6-v2-int8',
  // Tuned on test/evaluation/tuning.json, see docs/reference/benchmarks.md.
  evidence: { strong: 0.42, weak: 0.15, chance: 0.01, spread: 0.15 },
};

/**
 * Version of the code that makes the vectors. Change it whenever the same model gives different vectors than before.
 */
const method = 'windows of whole texts, sentences in their context';

/**
 * Reads the embedding model in a folder: `model.onnx`, `tokenizer.json` and, unless it
 * is the default model, `alfred-model.json`. The name ends in a hash of the files and
 * of how they are used, so that vectors of different models are never compared.
 *
 * @returns undefined when the files are not there (yet)
 * @throws Error when `alfred-model.json` is not valid
 */
export async function readModelFolder(dir: string): Promise<EmbeddingModel | undefined> {
  const [modelFile, tokenizerFile] = [join(dir, 'model.onnx'), join(dir, 'tokenizer.json')];
  if (!(await isFile(modelFile)) || !(await isFile(tokenizerFile))) return undefined;
  const description = await readFile(join(dir, 'alfred-model.json'), 'utf8').catch(() => undefined);
  const parsed = Description.safeParse(description === undefined ? defaultDescription : parseJson(description));
  if (!parsed.success)
    throw new Error(`${join(dir, 'alfred-model.json')} does not describe a model: ${z.prettifyError(parsed.error)}`);
  const { name, evidence, relevantFrom: _, ...usage } = parsed.data;
  const files = [await hashFile(modelFile), await hashFile(tokenizerFile)];
  const hash = createHash('sha256').update(JSON.stringify([...files, method, usage]));
  return { ...usage, evidence, name: `${name}@${hash.digest('hex').slice(0, 8)}`, dir, modelFile, tokenizerFile };
}

const isFile = (path: string) =>
  stat(path).then(
    (stats) => stats.isFile(),
    () => false,
  );
