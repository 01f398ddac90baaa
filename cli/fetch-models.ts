import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { obtainEmbeddingModel } from '../deploy/local/downloads/embedding-model.ts';
import { localModel, type LocalModel } from '../deploy/local/downloads/embedding-models.ts';
import { rerankModel } from '../deploy/local/downloads/rerank-models.ts';
import type { Config } from '../runtime/config.ts';
import type { Logger } from '../runtime/logger.ts';
import type { Terminal } from './terminal/terminal.ts';

/**
 * Fetches the local models that the configuration names into the folders from which the roles read them. A folder that
 * has a model already is left alone. A model that cannot be fetched is no error, because searches work without it.
 */
export async function fetchModels(
  config: Config,
  { terminal, print }: { terminal: Terminal; print: (line: string) => void },
  log: Logger,
): Promise<void> {
  const wanted = [
    {
      what: 'embedding model',
      model: localModel(config),
      dir: config.ALFRED_EMBEDDING_MODEL_DIR ?? join(config.ALFRED_DATA_DIR, 'embedding-model'),
      without: 'searches go by words alone',
    },
    {
      what: 'reranking model',
      model: rerankModel(config),
      dir: config.RERANK_MODEL_DIR ?? join(config.ALFRED_DATA_DIR, 'rerank-model'),
      without: 'searches are not reranked',
    },
  ];
  for (const { what, model, dir, without } of wanted) {
    if (!model) continue;
    try {
      print(`${what}: ${await obtain(model, dir, { log, endpoint: config.HF_ENDPOINT })}`);
    } catch (error) {
      terminal.note(`${what}: ${(error as Error).message}\nUntil one is in ${dir}, ${without}.`);
    }
  }
}

async function obtain(model: LocalModel, dir: string, options: { log: Logger; endpoint: string }): Promise<string> {
  const isThere = await access(join(dir, 'model.onnx')).then(
    () => true,
    () => false,
  );
  if (isThere) return `there is one in ${dir}`;
  await obtainEmbeddingModel(model, { ...options, dir });
  return `fetched ${model.name} into ${dir}`;
}
