import type { Chunking } from '../chunking.ts';
import type { Collection, CollectionListQuery } from '../collections.ts';
import type { Scope } from '../references.ts';

/** Collections: how their documents are cut, which is the tenant's to say, and what of them a subject may read. */
export interface Collections {
  /** By name: those with a document that the subject may read, and those with settings. */
  list(scope: Scope, query: CollectionListQuery): Promise<{ collections: Collection[]; nextCursor: string | null }>;
  get(scope: Scope, name: string): Promise<Collection | undefined>;
  /** Safe to repeat. Documents that are there stay as they are until they are added or synced again. */
  set(scope: Scope, name: string, settings: Chunking): Promise<Collection>;
}
