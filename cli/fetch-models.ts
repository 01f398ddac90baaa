import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { obtainEmbeddingModel, originOf } from '../deploy/local/downloads/embedding-model.ts';
import { embeddingModels, localModel, type LocalModel } from '../deploy/local/downloads/embedding-models.ts';
import { rerankModel, rerankModels } from '../deploy/local/downloads/rerank-models.ts';
import type { Config } from '../runtime/config.ts';
import type { Logger } from '../runtime/logger.ts';
import type { Terminal } from './terminal/terminal.ts';

/**
 * Fetches the local models that the configuration names into the folders from which the roles read them. A model that
 * cannot be fetched is no error, because searches work without it.
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
      const { isLeftChanged, text } = await fetchModel(model, dir, { log, endpoint: config.HF_ENDPOINT });
      if (isLeftChanged) terminal.note(`${what}: ${text}`);
      else print(`${what}: ${text}`);
    } catch (error) {
      terminal.note(`${what}: ${(error as Error).message}\nUntil one is in ${dir}, ${without}.`);
    }
  }
}

/**
 * Puts a model into a folder. Of what the folder has, a model that Alfred fetches is kept up to date, or replaced when
 * the configuration names another one; anything else was put there by a person and is left alone.
 *
 * @param options.known the models that Alfred fetches
 * @returns what the folder has now, in words; `isLeftChanged`: files that Alfred fetched are no longer what they were
 */
export async function fetchModel(
  model: LocalModel,
  dir: string,
  { known = shipped, ...options }: { log: Logger; endpoint: string; known?: readonly LocalModel[] },
): Promise<{ text: string; isLeftChanged: boolean }> {
  const isThere = await access(join(dir, 'model.onnx')).then(
    () => true,
    () => false,
  );
  const origin = isThere ? await originOf(dir, known) : 'fetched';
  if (origin === 'person') return { text: `${dir} has one of your own, which is left alone`, isLeftChanged: false };
  if (origin === 'changed') {
    const text = `${dir} has a model that Alfred fetched and that was changed or damaged since; it is left alone. Remove the folder to have ${model.name} fetched, or its file .alfred-fetched.json to keep it as one of your own.`;
    return { text, isLeftChanged: true };
  }
  await obtainEmbeddingModel(model, { ...options, dir });
  return { text: `${model.name} is in ${dir}`, isLeftChanged: false };
}

const shipped = [...embeddingModels, ...Object.values(rerankModels)];
