import type { Logger } from '../../runtime/logger.ts';
import type { Embeddings, Workflows } from '../../contract/ports/index.ts';

export type RequestEmbeddingDeps = {
  embeddings: Pick<Embeddings, 'embedder'>;
  workflows: Pick<Workflows, 'embedDocuments'>;
  log: Logger;
};

/**
 * Starts the embedding of new passages, if an embedding model is configured. Searches find stored passages by their
 * words at once, and by their vectors later. A failure is only logged: the sweep starts the embedding again.
 */
export async function requestEmbedding({ embeddings, workflows, log }: RequestEmbeddingDeps): Promise<void> {
  if (!(await embeddings.embedder())) return;
  await workflows.embedDocuments().catch((error: unknown) => {
    log.warn({ err: error }, 'the vectors of new documents could not be begun');
  });
}
