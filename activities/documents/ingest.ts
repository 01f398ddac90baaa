import { activityInfo } from '@temporalio/activity';
import type { Chunking } from '../../contract/chunking.ts';
import type { Ingestion, Placement } from '../../contract/documents.ts';
import { AlfredError, maxAttemptsOf } from '../../contract/errors.ts';
import type { Scope } from '../../contract/references.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import { toAlfredError, withHeartbeat } from '../activity-context.ts';
import { forEachConcurrently } from './for-each-concurrently.ts';
import { observeFile } from './observe-file.ts';
import { requestEmbedding, type RequestEmbeddingDeps } from './request-embedding.ts';
import type { Callbacks, DocumentParser, Documents, PendingFile, Workflows } from '../../contract/ports/index.ts';

export type IngestDeps = RequestEmbeddingDeps & {
  documents: Documents;
  callbacks: Pick<Callbacks, 'get'>;
  workflows: Pick<Workflows, 'deliverCallback' | 'embedDocuments'>;
  parser: DocumentParser;
  metrics: Metrics;
};

export type IngestionRef = Scope & { ingestionId: string };

/** Files per activity: enough that the round trip does not matter, few enough that progress is visible. */
const batchSize = 20;
/** Files in work at once. Parsing has its own threads, and a file spends most of its time waiting for the database. */
const filesAtOnce = 4;

export const createIngestActivities = (deps: IngestDeps) => {
  const { documents, callbacks, workflows, log } = deps;
  return {
    /**
     * Reads and stores the next pending files of an ingestion. What is wrong with a file is recorded for that file and
     * does not stop the others. A fault on our side is thrown after the other files are done.
     *
     * @returns the counts of the whole ingestion afterwards
     */
    ingestFiles: ({ ingestion }: { ingestion: IngestionRef }): Promise<Ingestion['counts']> =>
      withHeartbeat(async (signal) => {
        const files = await documents.listPendingFiles(ingestion, ingestion.ingestionId, batchSize);
        const placement = await documents.getPlacement(ingestion, ingestion.ingestionId);
        let fault: AlfredError | undefined;
        await forEachConcurrently(groupByName(files), filesAtOnce, async (sameName) => {
          for (const file of sameName) {
            signal.throwIfAborted();
            const fileFault = await ingestFile(deps, ingestion, file, { placement, signal });
            if (!fileFault) continue;
            fault = fileFault;
            // The later files of this name are newer: they wait until this one is retried.
            break;
          }
        });
        if (fault) throw fault;
        if (files.length > 0) await requestEmbedding(deps);
        const row = await documents.getIngestion(ingestion, ingestion.ingestionId);
        if (!row) throw new AlfredError('not_found', `There is no ingestion ${ingestion.ingestionId}.`);
        return row.counts;
      }),

    async endIngestion({
      ingestion,
      status,
    }: {
      ingestion: IngestionRef;
      status: 'completed' | 'failed' | 'cancelled';
    }): Promise<void> {
      const { ingestionId, tenant, subject } = ingestion;
      const hasEnded = await documents.endIngestion(ingestion, ingestionId, status);
      log.info({ ingestionId, status }, 'an ingestion ended');
      const callback = { ingestionId, tenant, subject };
      if (!hasEnded || !(await callbacks.get(callback))) return;
      // A failure here does not matter: the sweep starts the delivery again.
      await workflows.deliverCallback(callback).catch((error: unknown) => {
        log.warn({ err: error, ingestionId }, 'the delivery of a callback could not be started');
      });
    },
  };
};

/**
 * Reads and stores one file, and records its outcome. @returns a fault on our side: the file stays pending for a retry
 */
async function ingestFile(
  { documents, parser, metrics, log }: IngestDeps,
  { ingestionId, ...scope }: IngestionRef,
  file: PendingFile,
  { placement, signal }: { placement: Placement; signal: AbortSignal },
): Promise<AlfredError | undefined> {
  const upload = { ingestionId, ordinal: file.ordinal };
  const observed = observeFile(metrics);
  try {
    const parse = async (chunking: Chunking) => {
      const bytes = await readBytes(documents, scope, file);
      return observed.parsed(
        await parser.parse({ name: file.name, mediaType: file.mediaType, bytes, chunking }, signal),
      );
    };
    observed.settled(await documents.put(scope, { file, parse, placement, upload }));
    return undefined;
  } catch (error) {
    signal.throwIfAborted();
    const failure = toAlfredError(error);
    const { code, message } = failure;
    log[code === 'internal' ? 'error' : 'info'](
      { ingestionId, ordinal: file.ordinal, code, ...(code === 'internal' ? { err: failure.cause ?? failure } : {}) },
      'a file could not be read',
    );
    // After the last attempt the file fails, so that it does not hold up the others.
    if (activityInfo().attempt < maxAttemptsOf(code)) return failure;
    const outcome = { state: 'failed', code, message } as const;
    await documents.recordFileOutcome(scope, upload, outcome);
    observed.settled(outcome);
    return undefined;
  }
}

/** Groups files of the same name, in upload order. Each group is read one by one, so that the last file stays. */
function groupByName(files: PendingFile[]): PendingFile[][] {
  const groups = new Map<string, PendingFile[]>();
  for (const file of files) groups.set(file.name, [...(groups.get(file.name) ?? []), file]);
  return [...groups.values()];
}

async function readBytes(documents: Documents, scope: Scope, { name, contentHash }: PendingFile): Promise<Uint8Array> {
  const bytes = await documents.readFile(scope, contentHash);
  if (!bytes)
    throw new AlfredError(
      'file_unreadable',
      `${name}: its bytes are no longer stored, because the ingestion had ended before. Add the file again.`,
    );
  return bytes;
}
