import { sweepContacts, type ContactSweepDeps } from './sweep-contacts.ts';
import { reconcileIngestion, reconcileSync } from '../../contract/rules/ingestion-reconciliation.ts';
import { ingestionWorkflowId, sourceWorkflowId } from '../../contract/ids.ts';
import { startGraceMs } from '../../contract/rules/task-reconciliation.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import { pageSize, rowsWithoutRun } from './open-rows.ts';
import { runEach } from './run-each.ts';
import type { Documents, Embeddings, Sources, Vectors, Workflows, WorkflowSurvey } from '../../contract/ports/index.ts';

export type DocumentSweepDeps = ContactSweepDeps & {
  documents: Pick<Documents, 'endIngestion' | 'deleteExpiredFiles' | 'listOpenIngestions' | 'pendingSince'>;
  sources: Pick<Sources, 'endLostSync' | 'listOpen'>;
  vectors: Pick<Vectors, 'pendingSince'>;
  embeddings: Pick<Embeddings, 'embedder'>;
  workflows: Pick<Workflows, 'embedDocuments' | 'ingestContacts' | 'syncContacts' | 'syncSource'>;
  survey: Pick<WorkflowSurvey, 'describe' | 'runningAmong'>;
  metrics: Pick<Metrics, 'knowledgeLag'>;
  log: Logger;
};

/**
 * Ends uploads and syncs whose workflow ended without recording it, measures how far behind documents are, and deletes
 * expired bytes.
 */
export async function sweepDocuments(deps: DocumentSweepDeps, signal: AbortSignal): Promise<void> {
  await runEach(
    { log: deps.log, signal },
    {
      ingestions: () => endLostIngestions(deps, signal),
      sources: () => resumeSources(deps, signal),
      lag: () => measureLag(deps),
      contacts: () => sweepContacts(deps, signal),
      files: () => deleteExpiredFiles(deps, signal),
    },
  );
}

/** Ends each upload whose workflow was terminated or lost, by the same rule as a read of its row. */
async function endLostIngestions({ documents, survey, log }: DocumentSweepDeps, signal: AbortSignal): Promise<void> {
  const rows = rowsWithoutRun({
    open: (page) => documents.listOpenIngestions(page),
    idOf: ({ ingestionId }) => ingestionId,
    workflowIdOf: ({ ingestionId }) => ingestionWorkflowId(ingestionId),
    survey,
    signal,
  });
  for await (const {
    row: { ingestionId, createdAt, ...scope },
    describe,
  } of rows) {
    try {
      const { status: found } = await describe();
      const status = reconcileIngestion(found, createdAt);
      if (status && (await documents.endIngestion(scope, ingestionId, status)))
        log.warn({ ingestionId, found, status }, 'an ingestion was brought in line with its workflow');
    } catch (error) {
      signal.throwIfAborted();
      log.warn({ err: error, ingestionId }, 'an ingestion could not be compared with its workflow');
    }
  }
}

/** Ends lost syncs: the next sync does their work. Restarts lost removals: no user can request them again. */
async function resumeSources(
  { sources, workflows, survey, log }: DocumentSweepDeps,
  signal: AbortSignal,
): Promise<void> {
  const rows = rowsWithoutRun({
    open: (page) => sources.listOpen(page),
    idOf: ({ sourceId }) => sourceId,
    workflowIdOf: ({ sourceId }) => sourceWorkflowId(sourceId),
    olderThanMs: startGraceMs,
    survey,
    signal,
  });
  for await (const {
    row: { isRemoved, ...source },
    describe,
  } of rows) {
    const { sourceId } = source;
    try {
      const { status: found } = await describe();
      const end = reconcileSync(found);
      if (!end) continue;
      if (isRemoved) await workflows.syncSource(source);
      else if (!(await sources.endLostSync(source, end, { olderThanMs: startGraceMs }))) continue;
      log.warn({ sourceId, found, isRemoved }, 'a source was brought in line with its workflow');
    } catch (error) {
      signal.throwIfAborted();
      log.warn({ err: error, sourceId }, 'a source could not be compared with its workflow');
    }
  }
}

/**
 * Measures how long files wait to be read and texts to be embedded. Starts the embedding if needed: a new model was
 * configured, or the last attempts failed.
 */
async function measureLag({
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

/** Deletes the bytes of unread files. They are kept for a retry, but not forever. */
async function deleteExpiredFiles({ documents, log }: DocumentSweepDeps, signal: AbortSignal): Promise<void> {
  let deleted: number;
  do {
    signal.throwIfAborted();
    deleted = await documents.deleteExpiredFiles(pageSize);
    if (deleted > 0) log.info({ files: deleted }, 'files that were not read are kept no longer');
  } while (deleted === pageSize);
}
