import { join } from 'node:path';
import type { Config } from '../../runtime/config.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Embedder, Embeddings } from '../../contract/ports/index.ts';
import { createLocalEmbedder } from './local-embedder.ts';
import { readModelFolder } from './model-folder.ts';
import { createOpenAiEmbedder } from './openai-embedder.ts';

/** How soon a folder without a model is looked at again: it may still be on its way. */
const lookAgainMs = 5_000;

type Settings = Pick<
  Config,
  | 'ALFRED_EMBEDDINGS'
  | 'ALFRED_EMBEDDING_MODEL_DIR'
  | 'ALFRED_DATA_DIR'
  | 'EMBEDDINGS_BASE_URL'
  | 'EMBEDDINGS_API_KEY'
  | 'OPENAI_API_KEY'
  | 'OPENAI_BASE_URL'
>;

/** The embedder that ALFRED_EMBEDDINGS names. */
export function createEmbeddings(config: Settings, log: Logger): Embeddings {
  const { ALFRED_EMBEDDINGS: chosen } = config;
  const name = chosen.startsWith('openai:') ? chosen.slice('openai:'.length) : undefined;
  if (name !== undefined) {
    const embedder = createOpenAiEmbedder({
      model: name,
      apiKey: config.EMBEDDINGS_API_KEY ?? config.OPENAI_API_KEY,
      baseUrl: config.EMBEDDINGS_BASE_URL ?? config.OPENAI_BASE_URL,
    });
    return { embedder: async () => embedder, close: () => embedder.close() };
  }
  if (chosen === 'none') return { embedder: async () => undefined, close: async () => {} };
  return createLocalEmbeddings(
    config.ALFRED_EMBEDDING_MODEL_DIR ?? join(config.ALFRED_DATA_DIR, 'embedding-model'),
    log,
  );
}

/** The model in a folder, from when it is there. */
function createLocalEmbeddings(dir: string, log: Logger): Embeddings {
  let found: Promise<Embedder | undefined> | undefined;
  let lookedAt = -Infinity;
  const look = async (): Promise<Embedder | undefined> => {
    const model = await readModelFolder(dir);
    if (!model) return undefined;
    log.info({ model: model.name }, 'the embedding model is at hand');
    return createLocalEmbedder(model);
  };
  return {
    async embedder() {
      const embedder = await found;
      if (embedder || performance.now() - lookedAt < lookAgainMs) return embedder;
      lookedAt = performance.now();
      found = look().catch((error: unknown) => {
        log.error({ err: error }, 'the embedding model cannot be used: searches go by words alone');
        return undefined;
      });
      return found;
    },
    close: async () => void (await (await found)?.close()),
  };
}
