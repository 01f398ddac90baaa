import { createHash } from 'node:crypto';
import { activityInfo } from '@temporalio/activity';
import type { Chunking } from '../../contract/chunking.ts';
import { maxAttemptsOf, type AlfredError } from '../../contract/errors.ts';
import type { SourceRef } from '../../contract/references.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import { toAlfredError, withHeartbeat } from '../activity-context.ts';
import { forEachConcurrently } from './for-each-concurrently.ts';
import { observeFile } from './observe-file.ts';
import { requestEmbedding, type RequestEmbeddingDeps } from './request-embedding.ts';
import type {
  DocumentParser,
  Documents,
  DueItem,
  ItemOutcome,
  SourceLocation,
  SourceReaders,
  Sources,
  SyncCounts,
  SyncEnd,
  Tenants,
  Workflows,
} from '../../contract/ports/index.ts';

export type SyncDeps = RequestEmbeddingDeps & {
  sources: Sources;
  sourceReaders: SourceReaders;
  documents: Documents;
  parser: DocumentParser;
  workflows: Pick<Workflows, 'embedDocuments' | 'syncSource'>;
  tenants: Pick<Tenants, 'requireActive' | 'requireRoom'>;
  metrics: Metrics;
};

/** Items per activity. */
const batchSize = 20;
/** Items in work at once. The reader limits how many of them it requests from one host at once. */
const itemsAtOnce = 4;

/** Whether the fault is on our side and not in the item. */
const isOurFault = ({ code }: AlfredError) => ['internal', 'database_unavailable', 'draining'].includes(code);

export const createSyncActivities = (deps: SyncDeps) => {
  const { sources, sourceReaders, tenants, workflows, log } = deps;
  return {
    /**
     * Called by a source's schedule. No effect while a sync runs.
     *
     * @throws AlfredError `tenant_suspended`, `tenant_unknown`, `tenant_full`
     */
    async requestSourceSync({ source }: { source: SourceRef }): Promise<void> {
      await tenants.requireActive(source.tenant);
      await tenants.requireRoom(source.tenant);
      if (await sources.requestSync(source)) await workflows.syncSource(source);
    },

    beginSourceSync: ({ source, run }: { source: SourceRef; run: string }) => sources.beginSync(source, run),

    /** Lists the source, and records which items are to be read and which are gone. */
    listSource: ({ source }: { source: SourceRef }): Promise<SyncCounts> =>
      withHeartbeat(async (signal) => {
        const location = await sources.findLocation(source);
        if (location) await sources.storeListing(source, await sourceReaders[location.kind].list(location, signal));
        return sources.countItems(source);
      }),

    /**
     * Processes the next due items: reads and stores those that may have changed, removes those that are gone. What is
     * wrong with an item is recorded for that item and does not stop the others. A fault on our side is thrown after
     * the other items are done.
     *
     * @returns the counts of the whole sync afterwards
     * @throws AlfredError `tenant_suspended`, `tenant_unknown`, `tenant_full` when there are items to read
     */
    syncItems: ({ source }: { source: SourceRef }): Promise<SyncCounts> =>
      withHeartbeat(async (signal) => {
        const location = await sources.findLocation(source);
        const due = await sources.listDue(source, batchSize);
        // A sync may be long: what was asked at its request is asked of each batch.
        if (location && due.some(({ state }) => state !== 'gone')) {
          await tenants.requireActive(source.tenant);
          await tenants.requireRoom(source.tenant);
        }
        let fault: AlfredError | undefined;
        await forEachConcurrently(due, itemsAtOnce, async (item) => {
          signal.throwIfAborted();
          if (item.state === 'gone') await removeItem(deps, source, item);
          else if (location) fault = (await syncItem(deps, source, item, { location, signal })) ?? fault;
        });
        if (fault) throw fault;
        if (location) await requestEmbedding(deps);
        return sources.countItems(source);
      }),

    /** @param sync `run`: the run that began the sync, so that a repeat does not end a sync requested meanwhile */
    async endSourceSync({ source, end, run }: { source: SourceRef; end: SyncEnd; run?: string }): Promise<void> {
      await sources.endSync(source, end, run);
      log.info({ sourceId: source.sourceId, status: end.status }, 'a sync of a source ended');
    },
  };
};

async function removeItem(
  { documents, sources }: SyncDeps,
  source: SourceRef,
  { name, documentId }: DueItem,
): Promise<void> {
  if (documentId !== null) await documents.delete(source, documentId);
  await sources.removeItem(source, name);
}

/** Reads one item, and records its outcome. @returns a fault on our side: the item stays due for a retry */
async function syncItem(
  deps: SyncDeps,
  source: SourceRef,
  item: DueItem,
  { location, signal }: { location: SourceLocation; signal: AbortSignal },
): Promise<AlfredError | undefined> {
  const observed = observeFile(deps.metrics);
  const record = async (outcome: ItemOutcome) => {
    await deps.sources.recordOutcome(source, item.name, outcome);
    if (outcome.state !== 'gone') observed.settled(outcome);
  };
  try {
    await record(await storeItem(deps, source, item, { location, observed, signal }));
    return undefined;
  } catch (error) {
    signal.throwIfAborted();
    const failure = toAlfredError(error);
    const { code, message } = failure;
    deps.log[code === 'internal' ? 'error' : 'info'](
      { sourceId: source.sourceId, code, ...(code === 'internal' ? { err: failure.cause ?? failure } : {}) },
      'an item of a source could not be read',
    );
    // After the last attempt the item fails, so that it does not hold up the others.
    if (isOurFault(failure) && activityInfo().attempt < maxAttemptsOf(code)) return failure;
    await record({ state: 'failed', code, message });
    return undefined;
  }
}

/** Reads one item and stores its document. */
async function storeItem(
  { sourceReaders, documents, parser }: SyncDeps,
  source: SourceRef,
  item: DueItem,
  {
    location,
    observed,
    signal,
  }: { location: SourceLocation; observed: ReturnType<typeof observeFile>; signal: AbortSignal },
): Promise<ItemOutcome> {
  const content = await sourceReaders[location.kind].read(location, item, signal);
  if (content.state !== 'read') return content;
  const { name } = item;
  const { bytes, mediaType, typeDecides, etag, lastModified } = content;
  const contentHash = createHash('sha256').update(bytes).digest('base64url');
  const outcome = await documents.put(source, {
    file: { name, mediaType, contentHash, sizeBytes: bytes.length },
    parse: async (chunking: Chunking) =>
      observed.parsed(await parser.parse({ name, mediaType, bytes, typeDecides, chunking }, signal)),
    placement: source,
  });
  if (outcome.state === 'failed') return outcome;
  // After a change of the source's collection the item has a new document: delete the old one.
  if (item.documentId !== null && item.documentId !== outcome.documentId)
    await documents.delete(source, item.documentId);
  return { ...outcome, contentHash, etag, lastModified };
}
