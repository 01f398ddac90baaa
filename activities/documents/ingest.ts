import { activityInfo } from '@temporalio/activity';
import type { Chunking } from '../../contract/chunking.ts';
import type { Ingestion, Placement } from '../../contract/documents.ts';
import { AlfredError, maxAttemptsOf } from '../../contract/errors.ts';
import type { Scope } from '../../contract/references.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import { toAlfredError } from '../errors.ts';
import { withHeartbeat } from '../activity-context.ts';
import { observeFile } from './observe-file.ts';
import type { DocumentParser, Documents, Embeddings, PendingFile, Workflows } from '../../contract/ports/index.ts';

export type IngestDeps = {
  documents: Documents;
  parser: DocumentParser;
  embeddings: Pick<Embeddings, 'embedder'>;
  workflows: Pick<Workflows, 'embedDocuments'>;
  metrics: Metrics;
  log: Logger;
};

export type IngestionRef = Scope & { ingestionId: string };

/** Files one activity takes: enough that its round trip does not matter, few enough that progress is seen. */
const batchSize = 20;
/** Files in work at once; parsing has threads of its own, and a file waits for the database most of its time. */
const filesAtOnce = 4;

export const createIngestActivities = ({ documents, parser, embeddings, workflows, metrics, log }: IngestDeps) => {
  /** What is stored is found by words; its vectors follow. */
  const haveEmbedded = async () => {
    if (!(await embeddings.embedder())) return;
    // The sweep makes up for it.
    await workflows.embedDocuments().catch((error: unknown) => {
      log.warn({ err: error }, 'the vectors of new documents could not be begun');
    });
  };

  /** Reads one file and settles it. @returns what is broken on our side, so that the file stays pending for a retry */
  const ingest = async (
    { ingestionId, ...scope }: IngestionRef,
    file: PendingFile,
    { placement, signal }: { placement: Placement; signal: AbortSignal },
  ): Promise<AlfredError | undefined> => {
    const upload = { ingestionId, ordinal: file.ordinal };
    const seen = observeFile(metrics);
    try {
      const parse = async (chunking: Chunking) =>
        seen.parsed(
          await parser.parse(
            { name: file.name, mediaType: file.mediaType, bytes: await bytesOf(documents, scope, file), chunking },
            signal,
          ),
        );
      seen.settled(await documents.put(scope, { file, parse, placement, upload }));
      return undefined;
    } catch (error) {
      signal.throwIfAborted();
      const known = toAlfredError(error);
      const { code, message } = known;
      const attempts = maxAttemptsOf(code);
      log[code === 'internal' ? 'error' : 'info'](
        { ingestionId, ordinal: file.ordinal, code, ...(code === 'internal' ? { err: known.cause ?? known } : {}) },
        'a file could not be read',
      );
      // One file that breaks us time and again does not hold up the rest.
      if (activityInfo().attempt < attempts) return known;
      const outcome = { state: 'failed', code, message } as const;
      await documents.recordFileOutcome(scope, upload, outcome);
      seen.settled(outcome);
      return undefined;
    }
  };

  return {
    /**
     * Takes the next pending files of an ingestion, reads each and stores it. What a file has wrong is noted beside it
     * and stops no other; what is broken on our side is thrown after the others are done.
     *
     * @returns how the whole ingestion stands afterwards
     */
    ingestFiles: ({ ingestion }: { ingestion: IngestionRef }): Promise<Ingestion['counts']> =>
      withHeartbeat(async (signal) => {
        const files = await documents.listPendingFiles(ingestion, ingestion.ingestionId, batchSize);
        const placement = await documents.getPlacement(ingestion, ingestion.ingestionId);
        const lanes = lanesOf(files);
        let broken: AlfredError | undefined;
        const work = async () => {
          for (let lane = lanes.shift(); lane; lane = lanes.shift()) {
            for (const file of lane) {
              signal.throwIfAborted();
              const problem = await ingest(ingestion, file, { placement, signal });
              if (!problem) continue;
              broken = problem;
              // Those behind it wait for its next attempt: they are newer.
              break;
            }
          }
        };
        const results = await Promise.allSettled(Array.from({ length: filesAtOnce }, work));
        for (const result of results) if (result.status === 'rejected') throw result.reason;
        if (broken) throw broken;
        if (files.length > 0) await haveEmbedded();
        const found = await documents.getIngestion(ingestion, ingestion.ingestionId);
        if (!found) throw new AlfredError('not_found', `There is no ingestion ${ingestion.ingestionId}.`);
        return found.counts;
      }),

    async endIngestion({
      ingestion,
      status,
    }: {
      ingestion: IngestionRef;
      status: 'completed' | 'failed' | 'cancelled';
    }): Promise<void> {
      await documents.endIngestion(ingestion, ingestion.ingestionId, status);
      log.info({ ingestionId: ingestion.ingestionId, status }, 'an ingestion ended');
    },
  };
};

/** Files of one name in the order they came in, so that the last one stays; different names side by side. */
function lanesOf(files: PendingFile[]): PendingFile[][] {
  const lanes = new Map<string, PendingFile[]>();
  for (const file of files) lanes.set(file.name, [...(lanes.get(file.name) ?? []), file]);
  return [...lanes.values()];
}

async function bytesOf(documents: Documents, scope: Scope, { name, contentHash }: PendingFile): Promise<Uint8Array> {
  const bytes = await documents.readFile(scope, contentHash);
  if (!bytes)
    throw new AlfredError(
      'file_unreadable',
      `${name}: its bytes are no longer stored, because the ingestion had ended before. Add the file again.`,
    );
  return bytes;
}
