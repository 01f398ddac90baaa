import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Config } from '../../runtime/config.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Embedder, Embeddings } from '../../contract/ports/index.ts';
import { createLocalEmbedder } from './local-embedder.ts';
import { readModelFolder } from './model-folder.ts';
import { createOpenAiEmbedder } from './openai-embedder.ts';
import { prefixesOf } from './prefixes.ts';

/** A model that is missing may still be downloading: the folder is checked again after this time. */
const recheckMs = 5_000;
/** Each thread takes about 400 MB with the default model. */
const defaultThreads = 2;

type Settings = Pick<
  Config,
  | 'ALFRED_EMBEDDINGS'
  | 'ALFRED_EMBEDDING_MODEL_DIR'
  | 'ALFRED_DATA_DIR'
  | 'EMBEDDINGS_BASE_URL'
  | 'EMBEDDINGS_API_KEY'
  | 'EMBEDDINGS_QUERY_PREFIX'
  | 'EMBEDDINGS_PASSAGE_PREFIX'
  | 'ALFRED_EMBEDDING_THREADS'
  | 'OPENAI_API_KEY'
  | 'OPENAI_BASE_URL'
>;

type ConfiguredEmbeddings = Embeddings & {
  /** Where the configured model should be and is not; undefined when it is there, or when none is configured. */
  missing(): Promise<string | undefined>;
};

/** The embedder that ALFRED_EMBEDDINGS names. */
export function createEmbeddings(config: Settings, log: Logger): ConfiguredEmbeddings {
  const { ALFRED_EMBEDDINGS: setting } = config;
  const openAiModel = setting.startsWith('openai:') ? setting.slice('openai:'.length) : undefined;
  if (openAiModel !== undefined) {
    const embedder = createOpenAiEmbedder({
      model: openAiModel,
      apiKey: config.EMBEDDINGS_API_KEY ?? config.OPENAI_API_KEY,
      baseUrl: config.EMBEDDINGS_BASE_URL ?? config.OPENAI_BASE_URL,
      prefixes: {
        ...prefixesOf(openAiModel),
        ...(config.EMBEDDINGS_QUERY_PREFIX !== undefined && { query: config.EMBEDDINGS_QUERY_PREFIX }),
        ...(config.EMBEDDINGS_PASSAGE_PREFIX !== undefined && { passage: config.EMBEDDINGS_PASSAGE_PREFIX }),
      },
    });
    return { embedder: async () => embedder, missing: async () => undefined, close: () => embedder.close() };
  }
  if (setting === 'none')
    return { embedder: async () => undefined, missing: async () => undefined, close: async () => {} };
  return createLocalEmbeddings(
    {
      dir: config.ALFRED_EMBEDDING_MODEL_DIR ?? join(config.ALFRED_DATA_DIR, 'embedding-model'),
      threads: config.ALFRED_EMBEDDING_THREADS ?? Math.min(defaultThreads, availableParallelism()),
    },
    log,
  );
}

/** The model in a folder. It is loaded when it is first needed, and may be put there while the process runs. */
function createLocalEmbeddings({ dir, threads }: { dir: string; threads: number }, log: Logger): ConfiguredEmbeddings {
  let loading: Promise<Embedder | undefined> | undefined;
  let checkedAt = -Infinity;
  const load = async (): Promise<Embedder | undefined> => {
    const model = await readModelFolder(dir);
    if (!model) return undefined;
    log.info({ model: model.name }, 'the embedding model is at hand');
    return createLocalEmbedder(model, threads);
  };
  const findEmbedder = async () => {
    const embedder = await loading;
    if (embedder || performance.now() - checkedAt < recheckMs) return embedder;
    checkedAt = performance.now();
    loading = load().catch((error: unknown) => {
      log.error({ err: error }, 'the embedding model cannot be used: searches go by words alone');
      return undefined;
    });
    return loading;
  };
  return {
    embedder: findEmbedder,
    missing: async () => ((await findEmbedder()) ? undefined : dir),
    close: async () => {
      await (await loading)?.close();
    },
  };
}
