import { reconcileIngestion, reconcileSync } from '../../contract/rules/ingestion-reconciliation.ts';
import { ingestionWorkflowId, sourceWorkflowId } from '../../contract/ids.ts';
import { startGraceMs } from '../../contract/rules/task-reconciliation.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import { openRows, pageSize } from './open-rows.ts';
import type { Documents, Embeddings, Sources, Vectors, Workflows } from '../../contract/ports/index.ts';

export type DocumentSweepDeps = {
  documents: Pick<Documents, 'endIngestion' | 'deleteExpiredFiles' | 'listOpenIngestions' | 'pendingSince'>;
  sources: Pick<Sources, 'endLostSync' | 'listOpen'>;
  vectors: Pick<Vectors, 'pendingSince'>;
  embeddings: Pick<Embeddings, 'embedder'>;
  workflows: Pick<Workflows, 'describe' | 'embedDocuments' | 'syncSource'>;
  metrics: Pick<Metrics, 'knowledgeLag'>;
  log: Logger;
};

/** Uploads and sources whose workflow is over and has not said so; bytes that are kept no longer; how far behind all is. */
export async function sweepDocuments(deps: DocumentSweepDeps, signal: AbortSignal): Promise<void> {
  await endLostIngestions(deps, signal);
  await takeUpSources(deps, signal);
  await lookAtLag(deps);
  await forgetKeptFiles(deps, signal);
}

/** An upload whose workflow was terminated or lost ends as it would when somebody looked at it. */
async function endLostIngestions({ documents, workflows, log }: DocumentSweepDeps, signal: AbortSignal): Promise<void> {
  const pages = openRows({ open: (page) => documents.listOpenIngestions(page), idOf: ({ ingestionId }) => ingestionId });
  for await (const page of pages) {
    for (const { ingestionId, createdAt, ...scope } of page) {
      signal.throwIfAborted();
      try {
        const { status: found } = await workflows.describe(ingestionWorkflowId(ingestionId));
        const status = reconcileIngestion(found, createdAt);
        if (status && (await documents.endIngestion(scope, ingestionId, status)))
          log.warn({ ingestionId, found, status }, 'an ingestion was brought in line with its workflow');
      } catch (error) {
        log.warn({ err: error, ingestionId }, 'an ingestion could not be compared with its workflow');
      }
    }
  }
}

/** A lost sync ends, and the next one does its work; a removal goes on, for nobody can ask for it again. */
async function takeUpSources({ sources, workflows, log }: DocumentSweepDeps, signal: AbortSignal): Promise<void> {
  const pages = openRows({
    open: (page) => sources.listOpen(page),
    idOf: ({ sourceId }) => sourceId,
    olderThanMs: startGraceMs,
  });
  for await (const page of pages) {
    for (const { isRemoved, ...source } of page) {
      signal.throwIfAborted();
      const { sourceId } = source;
      try {
        const { status: found } = await workflows.describe(sourceWorkflowId(sourceId));
        const end = reconcileSync(found);
        if (!end) continue;
        if (isRemoved) await workflows.syncSource(source);
        else if (!(await sources.endLostSync(source, end, { olderThanMs: startGraceMs }))) continue;
        log.warn({ sourceId, found, isRemoved }, 'a source was brought in line with its workflow');
      } catch (error) {
        log.warn({ err: error, sourceId }, 'a source could not be compared with its workflow');
      }
    }
  }
}

/** How far behind documents are. Texts have no vectors where the model came later, or the last attempts at them failed. */
async function lookAtLag({
  documents,
  vectors,
  embeddings,
  workflows,
  metrics,
  log,
}: DocumentSweepDeps): Promise<void> {
  try {
    metrics.knowledgeLag.report('file', await documents.pendingSince());
    const embedder = await embeddings.embedder();
    if (!embedder) return;
    const since = await vectors.pendingSince(embedder.model);
    metrics.knowledgeLag.report('vector', since);
    if (since) await workflows.embedDocuments();
  } catch (error) {
    log.warn({ err: error }, 'it could not be looked at how far documents are');
  }
}

/** Files that could not be read, or were not, wait for a retry, but not for ever. */
async function forgetKeptFiles({ documents, log }: DocumentSweepDeps, signal: AbortSignal): Promise<void> {
  for (let forgotten = pageSize; forgotten === pageSize;) {
    signal.throwIfAborted();
    forgotten = await documents.deleteExpiredFiles(pageSize);
    if (forgotten > 0) log.info({ files: forgotten }, 'files that were not read are kept no longer');
  }
}
