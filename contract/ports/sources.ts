import type { ErrorCode } from '../errors.ts';
import type { Requester } from '../principal.ts';
import type { ContentHash, Reach, Scope, SourceRef } from '../references.ts';
import type { Source, SourceChange, SourceListQuery, SourceRequest, SourceRow } from '../sources.ts';

export type { SourceRow };

/** What a `SourceReader` needs in order to read a source. */
export type SourceLocation = Pick<SourceRow, 'kind' | 'address' | 'options'>;

/** An item of a source: a page, a file, an object. With an `etag` the item is read only when it has changed. */
export type ListedItem = { name: string; address: string; etag?: string };

/** The items of a source. */
export type Listing = {
  items: ListedItem[];
  /** Items that cannot be read, with the reason. */
  failures: (ListedItem & ItemFailure)[];
  /** False when a part of the source could not be listed: items that are missing here may still exist. */
  isWhole: boolean;
};

export type ItemFailure = { code: ErrorCode; message: string };

/** HTTP validators of the stored version of an item. They show whether the item has changed. */
export type Validators = { etag: string | null; lastModified: string | null };

export type ItemToRead = { name: string; address: string; validators: Validators };

export type ItemContent =
  | { state: 'unchanged' }
  | { state: 'gone' }
  | ({ state: 'read'; bytes: Uint8Array; mediaType: string; typeDecides: boolean } & Validators);

/** Reads sources of one kind. Error messages contain only the host of an address. */
export interface SourceReader {
  /** Lists the items of a source. @throws AlfredError `source_*`, `destination_forbidden`, `file_too_large` */
  list(source: SourceLocation, signal: AbortSignal): Promise<Listing>;

  /** Reads one item, unless the validators show that the item is unchanged. Throws as `list`. */
  read(source: SourceLocation, item: ItemToRead, signal: AbortSignal): Promise<ItemContent>;
}
export type SourceReaders = Record<Source['kind'], SourceReader>;

/** An item that a sync still has to process. */
export type DueItem = ItemToRead & {
  state: 'pending' | 'gone';
  /**
   * The document to remove when the item is gone, or when the item now belongs to another document. Null when the
   * document stays: it was changed by other means, or also comes from another source.
   */
  documentId: string | null;
};

export type ItemOutcome =
  | ({ state: 'added' | 'replaced' | 'unchanged'; documentId: string; contentHash: ContentHash } & Validators)
  /** The item was not read, because it has not changed. The stored document and validators stay. */
  | { state: 'unchanged' }
  | ({ state: 'failed' } & ItemFailure)
  | { state: 'gone' };

export type SyncCounts = Source['sync']['counts'];
export type SyncEnd = { status: 'completed' | 'cancelled' } | ({ status: 'failed' } & ItemFailure);

/** Sources, the items that their last sync listed, and the state of their syncs. */
export interface Sources {
  /**
   * Creates a source and requests its first sync.
   *
   * @returns the new source, or the earlier one with the same idempotency key (`isNew: false`)
   * @throws AlfredError `source_exists` when the collection has a source with this address; `idempotency_key_reused`
   *   when the earlier request was another one
   */
  create(
    principal: Requester,
    request: SourceRequest,
    options?: { idempotencyKey?: string | undefined },
  ): Promise<SourceRow & { isNew: boolean }>;

  /**
   * Changes the given fields. Documents of the source get the new readers and tags at once. They move to the new
   * collection, unless they also come from another source, or the collection has a document of the same name. The next
   * sync handles those documents.
   *
   * @returns undefined when there is no such source
   * @throws AlfredError `source_exists` when the new collection has a source with this address
   */
  change(scope: Scope, sourceId: string, change: SourceChange): Promise<SourceRow | undefined>;

  /** Reads a source within reach. Of another subject's source everything that tells what is in it is empty. */
  get(reach: Reach, sourceId: string): Promise<SourceRow | undefined>;

  list(reach: Reach, query: Omit<SourceListQuery, 'of'>): Promise<{ sources: SourceRow[]; nextCursor: string | null }>;

  /** Deletes a source whose creation could not be completed. */
  discard(scope: Scope, sourceId: string): Promise<void>;

  /**
   * Lists the sources of all tenants. `everyS`: the seconds between its syncs; null when it has no schedule or was
   * deleted.
   *
   * @returns a page of at most `limit` sources in the order of their ids, which starts after the id `after`.
   *   `scheduleId` is the id of the source
   */
  listScheduled(page: {
    after: string | undefined;
    limit: number;
  }): Promise<(Scope & { scheduleId: string; everyS: number | null })[]>;

  /** Requests a sync. Changes nothing while a sync is queued or running. @returns whether there is such a source */
  requestSync(source: SourceRef): Promise<boolean>;

  /**
   * Deletes a source. With `keep`, its row is deleted at once. With `remove`, the source is hidden, and its row is
   * deleted after the last of its documents. Idempotent.
   *
   * @returns whether there is such a source, even if its documents are being removed already
   */
  delete(scope: Scope, sourceId: string, documents: 'remove' | 'keep'): Promise<boolean>;

  /**
   * Begins the requested sync. A repeat by the same run returns the sync or removal that is under way.
   *
   * @param run the workflow run's id
   * @returns undefined when there is nothing to do; `isListed`: whether the items of this sync are stored already
   */
  beginSync(source: SourceRef, run: string): Promise<{ isListed: boolean } | undefined>;

  /** Reads what a `SourceReader` needs. @returns undefined when the source was deleted */
  findLocation(source: SourceRef): Promise<SourceLocation | undefined>;

  /**
   * Stores the items of this sync. An item is pending, unless its document has the same etag, is in the right
   * collection and is cut as the collection wants. If the listing is whole, all other items are gone.
   */
  storeListing(source: SourceRef, listing: Listing): Promise<void>;

  /** Lists items that the sync still has to process. */
  listDue(source: SourceRef, limit: number): Promise<DueItem[]>;

  /** Records the outcome of an item. An item that is gone stays gone until its document is removed. */
  recordOutcome(source: SourceRef, name: string, outcome: ItemOutcome): Promise<void>;

  /** Deletes an item that is gone, after its document was removed. */
  removeItem(source: SourceRef, name: string): Promise<void>;

  /** Counts the items of a source by their states. */
  countItems(source: SourceRef): Promise<SyncCounts>;

  /**
   * Ends a sync. The first end counts. Also deletes the row of a deleted source that has no items left.
   *
   * @param run the workflow run's id, to end only the sync that this run has begun. Default: end any running or queued
   *   sync, also one that was requested later.
   */
  endSync(source: SourceRef, outcome: SyncEnd, run?: string): Promise<void>;

  /**
   * Ends a sync whose workflow no longer runs. A sync that was requested less than `olderThanMs` ago stays as it is: it
   * may have been requested after the caller asked Temporal for the workflow.
   *
   * @returns whether a sync was ended
   */
  endLostSync(source: SourceRef, outcome: SyncEnd, options: { olderThanMs: number }): Promise<boolean>;

  /**
   * Lists sources of all tenants whose sync or removal (`isRemoved`) was requested more than `olderThanMs` ago and has
   * not ended.
   *
   * @returns a page of at most `limit` sources in the order of their ids, which starts after the id `after`
   */
  listOpen(options: {
    olderThanMs: number;
    after: string | undefined;
    limit: number;
  }): Promise<(SourceRef & { isRemoved: boolean })[]>;
}
