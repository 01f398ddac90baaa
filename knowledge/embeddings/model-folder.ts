import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { parseJson } from '../../contract/json.ts';
import { hashFile } from '../../runtime/hash.ts';

/** What a folder says of its model in `alfred-model.json`. */
const Description = z.strictObject({
  name: z.string().regex(/^[\w.-]{1,80}$/, 'letters, digits, dots and hyphens'),
  /** How the vectors of a text's tokens become one. */
  pooling: z.enum(['mean', 'cls']).default('mean'),
  maxTokens: z.int().min(16).max(8_192).default(256),
  queryPrefix: z.string().max(500).default(''),
  /** See the port of embedders. Left out, nobody has calibrated the model, and words alone tell what is relevant. */
  relevantFrom: z.number().min(0).max(2).optional(),
});

export type EmbeddingModel = z.output<typeof Description> & {
  dir: string;
  modelFile: string;
  tokenizerFile: string;
};

/** all-MiniLM-L6-v2 (sentence-transformers, Apache-2.0) with 8-bit weights, the default of a folder that says nothing. */
const defaultDescription = { name: 'all-MiniLM-L6-v2-int8', relevantFrom: 0.8 };

/** How vectors come about beside what a description says; another one of these makes other vectors. */
const method = 'windows of whole texts';

/**
 * The embedding model in a folder: `model.onnx` and `tokenizer.json`, described by `alfred-model.json` where it is another
 * than the default. Its name ends in a hash of both files and of how they are used: vectors that differ never mix.
 *
 * @returns undefined when the files are not there (yet)
 * @throws when the description is wrong
 */
export async function readModelFolder(dir: string): Promise<EmbeddingModel | undefined> {
  const [modelFile, tokenizerFile] = [join(dir, 'model.onnx'), join(dir, 'tokenizer.json')];
  if (!(await isFile(modelFile)) || !(await isFile(tokenizerFile))) return undefined;
  const described = await readFile(join(dir, 'alfred-model.json'), 'utf8').catch(() => undefined);
  const parsed = Description.safeParse(described === undefined ? defaultDescription : parseJson(described));
  if (!parsed.success)
    throw new Error(`${join(dir, 'alfred-model.json')} does not describe a model: ${z.prettifyError(parsed.error)}`);
  const { name, relevantFrom, ...use } = parsed.data;
  const files = [await hashFile(modelFile), await hashFile(tokenizerFile)];
  const hash = createHash('sha256').update(JSON.stringify([...files, method, use]));
  return { ...use, relevantFrom, name: `${name}@${hash.digest('hex').slice(0, 8)}`, dir, modelFile, tokenizerFile };
}

const isFile = (path: string) =>
  stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
