import type { SourceRef } from '../../contract/references.ts';
import type { SourceKind, SourceOptions } from '../../contract/sources.ts';
import type { Database } from '../../runtime/database/postgres.ts';
import type { SourceLocation, Sources } from '../../contract/ports/index.ts';
import { countItems, listDueItems, recordItemOutcome, removeItem } from './source-items.ts';
import { selectSource } from './source-row.ts';
import { storeListing } from './store-listing.ts';
import { beginSync, endLostSync, endSync, listOpenSyncs, requestSync } from './sync-state.ts';

type SourceSyncs = Pick<
  Sources,
  | 'requestSync'
  | 'beginSync'
  | 'findLocation'
  | 'storeListing'
  | 'listDue'
  | 'recordOutcome'
  | 'removeItem'
  | 'countItems'
  | 'endSync'
  | 'endLostSync'
  | 'listOpen'
>;

/** Syncs of sources. Their progress is in the rows, so that any worker can continue one. */
export const createSourceSyncs = (db: Database, recognises: boolean): SourceSyncs => ({
  requestSync: (source) => requestSync(db, source),
  beginSync: (source, run) => beginSync(db, source, run),
  findLocation: (source) => findLocation(db, source),
  storeListing: (source, listing) => storeListing(db, source, { ...listing, recognises }),
  listDue: (source, limit) => listDueItems(db, source, { limit, recognises }),
  recordOutcome: (source, name, outcome) => recordItemOutcome(db, source, name, outcome),
  removeItem: (source, name) => removeItem(db, source, name),
  countItems: (source) => countItems(db, source),
  endSync: (source, outcome, run) => endSync(db, source, outcome, run),
  endLostSync: (source, outcome, { olderThanMs }) => endLostSync(db, source, outcome, olderThanMs),
  listOpen: (page) => listOpenSyncs(db, page),
});

async function findLocation(db: Database, source: SourceRef): Promise<SourceLocation | undefined> {
  const row = await selectSource(db, source).selectAll().where('deleted_at', 'is', null).executeTakeFirst();
  if (!row) return undefined;
  const { kind, address, options } = row;
  return { kind: kind as SourceKind, address, options: options as SourceOptions };
}
