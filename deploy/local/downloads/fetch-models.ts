import { join } from 'node:path';
import type { Logger } from '../../../runtime/logger.ts';
import type { Settings } from '../settings.ts';
import { embeddingModelDir, obtainEmbeddingModel } from './embedding-model.ts';
import { localModel, type LocalModel } from './embedding-models.ts';
import { rerankModel } from './rerank-models.ts';

/**
 * Starts to fetch the models that are configured in the background, unless the person has models of their own or none.
 *
 * @returns the variables with their folders
 */
export async function fetchModels(
  { config, dataDir, environment }: Pick<Settings, 'config' | 'dataDir' | 'environment'>,
  log: Logger,
): Promise<Record<string, string>> {
  const options = { fallbackDir: join(dataDir, 'cache'), environment };
  const fetch = (model: LocalModel, consequence: string): Promise<string> => {
    obtainEmbeddingModel(model, { log, endpoint: config.HF_ENDPOINT, ...options }).catch((error: Error) =>
      log.warn({ reason: error.message }, consequence),
    );
    return embeddingModelDir(model, options);
  };
  const folders: Record<string, string> = {};
  const embedding = config.ALFRED_EMBEDDING_MODEL_DIR ? undefined : localModel(config);
  if (embedding) {
    const consequence = 'the embedding model is not to be had: searches go by words alone';
    folders.ALFRED_EMBEDDING_MODEL_DIR = await fetch(embedding, consequence);
  }
  const reranking = config.RERANK_MODEL_DIR ? undefined : rerankModel(config);
  if (reranking) {
    const consequence = 'the reranking model is not to be had: searches are not reranked';
    folders.RERANK_MODEL_DIR = await fetch(reranking, consequence);
  }
  return folders;
}
