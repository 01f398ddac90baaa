import { createHash } from 'node:crypto';
import { activityInfo } from '@temporalio/activity';
import type { Chunking } from '../../contract/chunking.ts';
import { AlfredError, maxAttemptsOf } from '../../contract/errors.ts';
import type { SourceRef } from '../../contract/references.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import { toAlfredError } from '../errors.ts';
import { withHeartbeat } from '../activity-context.ts';
import { observeFile } from './observe-file.ts';
import type {
  DocumentParser,
  Documents,
  DueItem,
  Embeddings,
  ItemOutcome,
  SourceReaders,
  Sources,
  SourceLocation,
  SyncCounts,
  SyncEnd,
  Workflows,
} from '../../contract/ports/index.ts';

export type SyncDeps = {
  sources: Sources;
  sourceReaders: SourceReaders;
  documents: Documents;
  parser: DocumentParser;
  embeddings: Pick<Embeddings, 'embedder'>;
  workflows: Pick<Workflows, 'embedDocuments' | 'syncSource'>;
  metrics: Metrics;
  log: Logger;
};

/** Items one activity takes, and of those at once; how many of them a host is asked for at once is the reader's to know. */
const batchSize = 20;
const itemsAtOnce = 4;

/** What is wrong with us and not with the item. */
const isOurs = ({ code }: AlfredError) => ['internal', 'database_unavailable', 'draining'].includes(code);

export const createSyncActivities = (deps: SyncDeps) => {
  const { sources, sourceReaders, documents, parser, embeddings, workflows, metrics, log } = deps;

  /** Reads one item and stores what it holds. */
  async function take(
    source: SourceRef,
    where: SourceLocation,
    item: DueItem,
    { seen, signal }: { seen: ReturnType<typeof observeFile>; signal: AbortSignal },
  ): Promise<ItemOutcome> {
    const content = await sourceReaders[where.kind].read(where, item, signal);
    if (content.state !== 'read') return content;
    const { name } = item;
    const { bytes, mediaType, typeDecides, etag, lastModified } = content;
    const contentHash = createHash('sha256').update(bytes).digest('base64url');
    const put = await documents.put(source, {
      file: { name, mediaType, contentHash, sizeBytes: bytes.length },
      parse: async (chunking: Chunking) =>
        seen.parsed(await parser.parse({ name, mediaType, bytes, typeDecides, chunking }, signal)),
      placement: source,
    });
    if (put.state === 'failed') return put;
    // It stood elsewhere before the source's place was changed.
    if (item.documentId !== null && item.documentId !== put.documentId) await documents.delete(source, item.documentId);
    return { ...put, contentHash, etag, lastModified };
  }

  async function remove(source: SourceRef, { name, documentId }: DueItem): Promise<void> {
    if (documentId !== null) await documents.delete(source, documentId);
    await sources.removeItem(source, name);
  }

  /** @returns what is broken on our side, so that the item stays due for a retry */
  async function settle(
    source: SourceRef,
    where: SourceLocation,
    item: DueItem,
    signal: AbortSignal,
  ): Promise<AlfredError | undefined> {
    const seen = observeFile(metrics);
    const settled = async (outcome: ItemOutcome) => {
      await sources.recordOutcome(source, item.name, outcome);
      if (outcome.state !== 'gone') seen.settled(outcome);
    };
    try {
      await settled(await take(source, where, item, { seen, signal }));
      return undefined;
    } catch (error) {
      signal.throwIfAborted();
      const known = toAlfredError(error);
      const { code, message } = known;
      log[code === 'internal' ? 'error' : 'info'](
        { sourceId: source.sourceId, code, ...(code === 'internal' ? { err: known.cause ?? known } : {}) },
        'an item of a source could not be read',
      );
      // One item that breaks us time and again does not hold up the rest.
      if (isOurs(known) && activityInfo().attempt < maxAttemptsOf(code)) return known;
      await settled({ state: 'failed', code, message });
      return undefined;
    }
  }

  /** What is stored is found by words; its vectors follow. */
  const haveEmbedded = async () => {
    if (!(await embeddings.embedder())) return;
    // The sweep makes up for it.
    await workflows.embedDocuments().catch((error: unknown) => {
      log.warn({ err: error }, 'the vectors of new documents could not be begun');
    });
  };

  return {
    /** A schedule's word that it is time. While a sync runs nothing changes. */
    async requestSourceSync({ source }: { source: SourceRef }): Promise<void> {
      if (await sources.requestSync(source)) await workflows.syncSource(source);
    },

    beginSourceSync: ({ source, run }: { source: SourceRef; run: string }) => sources.beginSync(source, run),

    /** Lists what the source holds, and notes what is to be read and what has gone. */
    listSource: ({ source }: { source: SourceRef }): Promise<SyncCounts> =>
      withHeartbeat(async (signal) => {
        const where = await sources.findLocation(source);
        if (where) await sources.storeListing(source, await sourceReaders[where.kind].list(where, signal));
        return sources.countItems(source);
      }),

    /**
     * Takes the next items: reads what may have changed and stores it, removes what has gone. What an item has wrong is
     * noted beside it and stops no other; what is broken on our side is thrown after the others are done.
     *
     * @returns how the whole sync stands afterwards
     */
    syncItems: ({ source }: { source: SourceRef }): Promise<SyncCounts> =>
      withHeartbeat(async (signal) => {
        const row = await sources.findLocation(source);
        const due = await sources.listDue(source, batchSize);
        let broken: AlfredError | undefined;
        const work = async () => {
          for (let item = due.shift(); item; item = due.shift()) {
            signal.throwIfAborted();
            if (item.state === 'gone') await remove(source, item);
            else if (row) broken = (await settle(source, row, item, signal)) ?? broken;
          }
        };
        const results = await Promise.allSettled(Array.from({ length: itemsAtOnce }, work));
        for (const result of results) if (result.status === 'rejected') throw result.reason;
        if (broken) throw broken;
        if (row) await haveEmbedded();
        return sources.countItems(source);
      }),

    /** @param sync `run`: of which run, so that a repeat does not end the sync that was asked for meanwhile */
    async endSourceSync({ source, end, run }: { source: SourceRef; end: SyncEnd; run?: string }): Promise<void> {
      await sources.endSync(source, end, run);
      log.info({ sourceId: source.sourceId, status: end.status }, 'a sync of a source ended');
    },
  };
};
