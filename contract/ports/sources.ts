import type { ErrorCode } from '../errors.ts';
import type { ContentHash, Scope, SourceRef } from '../references.ts';
import type { Source, SourceChange, SourceListQuery, SourceRequest } from '../sources.ts';

/** A source as its row says. */
export type SourceRow = Omit<Source, 'links'>;

/** Where to read. */
export type SourceToRead = Pick<SourceRow, 'kind' | 'address' | 'options'>;

/** Something that a source holds. `etag` where the list tells it: what has not changed is not asked for. */
export type ListedItem = { name: string; address: string; etag?: string };

/** `isWhole: false`: something of it could not be read (see `failures`), so what is missing may be there all the same. */
export type Listing = { items: ListedItem[]; failures: (ListedItem & ItemFailure)[]; isWhole: boolean };

export type ItemFailure = { code: ErrorCode; message: string };

/** How to tell whether something has changed since its document was stored. */
export type Validators = { etag: string | null; lastModified: string | null };

export type ItemToRead = { name: string; address: string; validators: Validators };

export type ItemContent =
  | { state: 'unchanged' }
  | { state: 'gone' }
  | ({ state: 'read'; bytes: Uint8Array; mediaType: string; typeDecides: boolean } & Validators);

/** Reads sources of one kind. Errors are of the source or item; their messages name no more of an address than its host. */
export interface SourceReader {
  /** What the source holds now. @throws AlfredError `source_*`, `destination_forbidden`, `file_too_large` */
  list(source: SourceToRead, signal: AbortSignal): Promise<Listing>;
  /** One item, unless it is as the validators say. @throws as `list` */
  read(source: SourceToRead, item: ItemToRead, signal: AbortSignal): Promise<ItemContent>;
}
export type SourceReaders = Record<Source['kind'], SourceReader>;

/** An item that a sync has not dealt with. */
export type DueItem = ItemToRead & {
  state: 'pending' | 'gone';
  /**
   * The document to remove with it, or when it turns out to stand elsewhere now: one that is as this source brought it, and
   * that no other source brings.
   */
  documentId: string | null;
};

export type ItemOutcome =
  | ({ state: 'added' | 'replaced' | 'unchanged'; documentId: string; contentHash: ContentHash } & Validators)
  /** As it was: what is known of the document stays. */
  | { state: 'unchanged' }
  | ({ state: 'failed' } & ItemFailure)
  | { state: 'gone' };

export type SyncCounts = Source['sync']['counts'];
export type SyncEnd = { status: 'completed' | 'cancelled' } | ({ status: 'failed' } & ItemFailure);

/** Sources, what they held at the last look, and how their syncs stand. */
export interface Sources {
  /**
   * With a sync asked for. The same idempotency key and request give the source of before.
   *
   * @throws AlfredError `source_exists`, `idempotency_key_reused`
   */
  create(
    scope: Scope,
    request: SourceRequest,
    options?: { idempotencyKey?: string | undefined },
  ): Promise<SourceRow & { isNew: boolean }>;
  /**
   * What is left out stays. The documents that it brought get its readers and tags at once, and move to its collection where
   * nothing stands in the way; the next sync does the rest.
   *
   * @param tell is told the changed row before anything is kept, while the row is locked; when it throws, nothing has changed
   * @returns undefined when there is none
   * @throws AlfredError `source_exists`
   */
  change(
    scope: Scope,
    sourceId: string,
    change: SourceChange,
    tell: (row: SourceRow) => Promise<void>,
  ): Promise<SourceRow | undefined>;
  get(scope: Scope, sourceId: string): Promise<SourceRow | undefined>;
  list(scope: Scope, query: SourceListQuery): Promise<{ sources: SourceRow[]; nextCursor: string | null }>;
  /** Takes back a source that never came to be. */
  discard(scope: Scope, sourceId: string): Promise<void>;
  /** Asks for a sync; while one is asked for or running nothing changes. @returns whether there is such a source */
  request(source: SourceRef): Promise<boolean>;
  /**
   * Hides the source. Its row goes at once when documents are kept, else with the last of them. Safe to repeat.
   *
   * @param tell is called before anything is kept; when it throws, nothing has changed
   * @returns whether there was one, or is one whose documents are still being removed
   */
  delete(scope: Scope, sourceId: string, documents: 'remove' | 'keep', tell?: () => Promise<void>): Promise<boolean>;

  /**
   * Begins the sync that was asked for, or finds the one that this run has begun, or the removal that was.
   *
   * @param run names the workflow run, so that a repeat finds its own
   * @returns undefined when there is nothing to do
   */
  begin(source: SourceRef, run: string): Promise<{ isListed: boolean } | undefined>;
  /** Undefined when it was deleted. */
  toRead(source: SourceRef): Promise<SourceToRead | undefined>;
  /**
   * Takes a list for this sync: what is on it is to be read unless its etag is that of the document, and that stands where and
   * is cut as it should be; if it is whole, the rest is gone.
   */
  keepListing(source: SourceRef, listing: Listing): Promise<void>;
  due(source: SourceRef, limit: number): Promise<DueItem[]>;
  /** Notes what became of an item. `gone` stays until its document is removed. */
  settle(source: SourceRef, name: string, outcome: ItemOutcome): Promise<void>;
  /** The document of an item that is gone has been removed. */
  forget(source: SourceRef, name: string): Promise<void>;
  counts(source: SourceRef): Promise<SyncCounts>;
  /**
   * Once: the first end counts. A source whose removal is complete is removed itself.
   *
   * @param run ends only the sync that this run has begun, and not one that was asked for since; without it, whichever is
   *   under way or asked for
   */
  end(source: SourceRef, end: SyncEnd, run?: string): Promise<void>;
  /**
   * Ends a sync whose workflow was found to be over, but not one that was asked for within that time, maybe since then.
   *
   * @returns whether there was one
   */
  endLost(source: SourceRef, end: SyncEnd, options: { olderThanMs: number }): Promise<boolean>;
  /**
   * Sources whose sync, or whose removal (`isRemoved`), was asked for longer ago than that and has not ended, in pages by
   * id, over all tenants; for the sweep.
   */
  open(options: {
    olderThanMs: number;
    after: string | undefined;
    limit: number;
  }): Promise<(SourceRef & { isRemoved: boolean })[]>;
}
