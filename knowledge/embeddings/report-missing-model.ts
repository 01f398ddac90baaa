import type { Logger } from '../../runtime/logger.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import type { ReadinessProbe } from '../../runtime/readiness.ts';

type Deps = {
  /** `missing`: the folder in which the configured model should be and is not. */
  embeddings: { missing(): Promise<string | undefined> };
  log: Logger;
  metrics: Pick<Metrics, 'beforeScrape' | 'embeddingModelMissing'>;
  readiness: Pick<ReadinessProbe, 'addWarning'>;
};

const remedy = 'fetch it with `alfred setup --models`, or set ALFRED_EMBEDDINGS=none';

/**
 * Says that this process has no embedding model although one is configured: in the log at start, in /healthz and as a
 * metric. The process serves all the same, because a search by words is better than none.
 */
export function reportMissingModel({ embeddings, log, metrics, readiness }: Deps): void {
  const warning = async () => {
    const dir = await embeddings.missing();
    return dir === undefined ? undefined : `No embedding model is in ${dir}, so searches go by words alone: ${remedy}.`;
  };
  readiness.addWarning('embeddingModel', warning);
  metrics.beforeScrape.push(async () => metrics.embeddingModelMissing.set((await embeddings.missing()) ? 1 : 0));
  void warning().then((text) => text && log.warn(text));
}
