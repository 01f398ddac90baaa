import { sql, type Selectable } from 'kysely';
import { AlfredError, type ErrorCode } from '../../contract/errors.ts';
import type { Reach, Scope, SourceRef } from '../../contract/references.ts';
import { sourceMetadata } from '../../contract/rules/metadata.ts';
import type { Source, SourceKind, SourceOptions } from '../../contract/sources.ts';
import type { Database } from '../../runtime/database/postgres.ts';
import type { Tables } from '../../runtime/database/tables.ts';
import type { SourceRow } from '../../contract/ports/index.ts';

/** Number of failed items that a source lists. */
const shownFailures = 100;

type Counts = Partial<Record<string, number>>;

const counts = sql<Counts>`(
  select coalesce(jsonb_object_agg(c.state, c.items), '{}')
  from (select state, count(*)::int as items from source_items where source_id = s.id group by state) c)`;

const failures = sql<Source['failures']>`(
  select coalesce(jsonb_agg(jsonb_build_object('name', f.name, 'address', f.address,
    'error', jsonb_build_object('code', f.error_code, 'message', f.error_message)) order by f.name), '[]')
  from (select * from source_items where source_id = s.id and state = 'failed' order by name limit ${shownFailures}) f)`;

/** Sources that are not deleted, with the counts and failures of their last sync. */
const selectSources = (db: Database) =>
  db
    .selectFrom('sources as s')
    .selectAll('s')
    .select([counts.as('counts'), failures.as('failures')])
    .where('s.deleted_at', 'is', null);

/** The subject's sources that are not deleted. */
export const ownedSources = (db: Database, { tenant, subject }: Scope) =>
  selectSources(db).where('s.tenant', '=', tenant).where('s.subject', '=', subject);

/** The sources within reach that are not deleted. */
export const reachedSources = (db: Database, { tenant, subject, of }: Reach) =>
  of === 'tenant' ? selectSources(db).where('s.tenant', '=', tenant) : ownedSources(db, { tenant, subject });

/** A source as the subject may see it: its own whole, any other without what is in it. */
export const visibleSource = (row: Parameters<typeof toSourceRow>[0], { subject }: Scope): SourceRow =>
  row.subject === subject ? toSourceRow(row) : sourceMetadata(toSourceRow(row), row.subject);

/** The row of one source, also of a deleted one. */
export const selectSource = (db: Database, { sourceId, tenant, subject }: SourceRef) =>
  db.selectFrom('sources').where('id', '=', sourceId).where('tenant', '=', tenant).where('subject', '=', subject);

/** An update of one source's row, also of a deleted one. */
export const updateSource = (db: Database, { sourceId, tenant, subject }: SourceRef) =>
  db.updateTable('sources').where('id', '=', sourceId).where('tenant', '=', tenant).where('subject', '=', subject);

export const sourceExists = (collection: string) =>
  new AlfredError(
    'source_exists',
    `You have a source with this address in the collection ${collection} already: see GET /v1/sources. Ask it for a sync, or remove it first.`,
  );

/** @param countByState of the source's items; documents that were removed have no item any more */
export const countsOf = (countByState: Counts, removed: number): Source['sync']['counts'] => ({
  pending: countByState['pending'] ?? 0,
  added: countByState['added'] ?? 0,
  replaced: countByState['replaced'] ?? 0,
  unchanged: countByState['unchanged'] ?? 0,
  failed: countByState['failed'] ?? 0,
  gone: countByState['gone'] ?? 0,
  removed,
});

export const toSourceRow = (
  selected: Selectable<Tables['sources']> & { counts: Counts; failures: Source['failures'] },
): SourceRow => ({
  id: selected.id,
  kind: selected.kind as SourceKind,
  address: selected.address,
  options: selected.options as SourceOptions,
  collection: selected.collection,
  readers: selected.readers,
  tags: selected.tags,
  everyS: selected.schedule,
  sync: {
    state: selected.sync_state as Source['sync']['state'],
    counts: countsOf(selected.counts, selected.sync_removed),
    error:
      selected.sync_error_code === null
        ? null
        : { code: selected.sync_error_code as ErrorCode, message: selected.sync_error_message ?? '' },
    requestedAt: selected.sync_requested_at.toISOString(),
    startedAt: selected.sync_started_at?.toISOString() ?? null,
    endedAt: selected.sync_ended_at?.toISOString() ?? null,
  },
  failures: selected.failures,
  createdAt: selected.created_at.toISOString(),
});
