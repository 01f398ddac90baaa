import { sql } from 'kysely';
import type { Database } from '../../runtime/database/postgres.ts';
import { readersOf, type IndexedDocument } from './passage-index.ts';

/**
 * How far an index has followed the change log.
 *
 * @property source  the change log that the index follows, see `readChangeLogHead`; `''` when it follows none yet
 * @property applied number of the last change that it applied; 0 for none
 * @property anchor  when that change was made, as Postgres prints it: it tells two changes with the same number apart
 */
export type IndexPosition = { source: string; applied: number; anchor: string | null };

/**
 * The newest entry of a tenant's change log in Postgres.
 *
 * @property newest number of the newest change
 * @property anchor when the change was made that the index applied last; null when it is not in the log any more
 */
type ChangeLogHead = { source: string; newest: number; anchor: string | null };

/**
 * Reads the head of the change log. `source` identifies this history of changes. It differs after the tables were
 * created again, after the data was copied to another server, and after a standby or a backup took over.
 *
 * @param applied number of the change that the index applied last
 */
export async function readChangeLogHead(db: Database, tenant: string, applied: number): Promise<ChangeLogHead> {
  const { rows } = await sql<ChangeLogHead>`
    select
      concat_ws('/', (select system_identifier from pg_control_system()), (select timeline_id from pg_control_checkpoint()),
        (select oid from pg_database where datname = current_database()), 'document_changes'::regclass::oid) as source,
      coalesce((select max(seq) from document_changes where tenant = ${tenant}), 0) as newest,
      (select at::text from document_changes where seq = ${applied}) as anchor`.execute(db);
  if (!rows[0]) throw new Error('the database told no standing');
  return rows[0];
}

/** Whether an index can continue from its position. If not, it has applied changes that this database never made. */
export const isSameHistory = (position: IndexPosition, head: ChangeLogHead) =>
  position.source === head.source &&
  position.applied <= head.newest &&
  (head.anchor === null || head.anchor === position.anchor);

/**
 * @property seq       number of the last of these changes
 * @property at        when that change was made, as Postgres prints it
 * @property documents the changed documents as they are now; a deleted one is only in `documentIds`
 */
export type DocumentChanges = { seq: number; at: string; documentIds: string[]; documents: IndexedDocument[] };

/** One batch takes changed documents until they have this many passages together, and always at least one document. */
const passagesAtOnce = 500;

/**
 * A tenant's next changes after `applied`, with what the changed documents contain now and their vectors of `model`.
 *
 * @returns undefined when there are none
 */
export async function readChanges(
  db: Database,
  { tenant, applied, model }: { tenant: string; applied: number; model: string },
): Promise<DocumentChanges | undefined> {
  const changes = await db
    .selectFrom('document_changes as c')
    .leftJoin('documents as d', 'd.id', 'c.document_id')
    .select(['c.seq', 'c.document_id', 'd.chunk_count', sql<string>`c.at::text`.as('at')])
    .where('c.tenant', '=', tenant)
    .where('c.seq', '>', applied)
    .orderBy('c.seq')
    .limit(passagesAtOnce)
    .execute();
  const batch = firstBatch(changes);
  const last = batch.at(-1);
  if (!last) return undefined;
  const documentIds = batch.map(({ document_id }) => document_id);
  return { seq: last.seq, at: last.at, documentIds, documents: await readDocuments(db, model, documentIds) };
}

function firstBatch<Change extends { chunk_count: number | null }>(changes: Change[]): Change[] {
  const batch: Change[] = [];
  let passages = 0;
  for (const change of changes) {
    passages += change.chunk_count ?? 0;
    if (batch.length > 0 && passages > passagesAtOnce) break;
    batch.push(change);
  }
  return batch;
}

/** The current content of documents, with the vectors that `model` has made so far. */
export async function readDocuments(db: Database, model: string, documentIds: string[]): Promise<IndexedDocument[]> {
  const rows = await db
    .selectFrom('documents as d')
    .innerJoin('chunks as c', 'c.document_id', 'd.id')
    .leftJoin('embeddings as e', (join) =>
      join.onRef('e.tenant', '=', 'd.tenant').on('e.model', '=', model).onRef('e.hash', '=', 'c.embed_hash'),
    )
    .select(['d.id', 'd.title', 'd.collection', 'd.readers', 'd.subject', 'd.tags', 'd.language', 'd.updated_at'])
    .select(['c.id as chunk_id', 'c.heading_path', 'c.text', 'e.vector'])
    .where('d.id', 'in', documentIds)
    .orderBy('d.id')
    .orderBy('c.ordinal')
    .execute();
  const documents = new Map<string, IndexedDocument>();
  for (const row of rows) {
    const document = documents.get(row.id) ?? {
      documentId: row.id,
      title: row.title,
      collection: row.collection,
      readers: readersOf(row.readers, row.subject),
      tags: row.tags,
      language: row.language,
      updatedMs: row.updated_at.getTime(),
      passages: [],
    };
    documents.set(row.id, document);
    document.passages.push({
      chunkId: row.chunk_id,
      documentId: row.id,
      title: row.title,
      headings: row.heading_path.join('\n'),
      body: row.text,
      vector: row.vector === null ? undefined : decodeVector(row.vector),
    });
  }
  return [...documents.values()];
}

/** How many documents have changed after change number `applied`. */
export async function countChangesAfter(db: Database, tenant: string, applied: number): Promise<number> {
  const { rows } = await sql<{ n: number }>`
    select count(*)::int as n from document_changes where tenant = ${tenant} and seq > ${applied}`.execute(db);
  return rows[0]?.n ?? 0;
}

/** When the oldest change was made that an index has not applied; undefined when it has applied all. */
export async function oldestUnappliedChange(
  db: Database,
  positions: { tenant: string; applied: number }[],
): Promise<Date | undefined> {
  if (positions.length === 0) return undefined;
  const { rows } = await sql<{ since: Date | null }>`
    select min(c.at) as since
    from unnest(${positions.map(({ tenant }) => tenant)}::text[], ${positions.map(({ applied }) => applied)}::bigint[]) as p (tenant, applied)
      cross join lateral (
        select at from document_changes where tenant = p.tenant and seq > p.applied order by seq limit 1
      ) as c`.execute(db);
  return rows[0]?.since ?? undefined;
}

/** The ids of all chunks of a tenant, and whether `model` has made a vector of each. */
export async function readChunkIds(db: Database, tenant: string, model: string): Promise<Map<string, boolean>> {
  const { rows } = await sql<{ id: string; has_vector: boolean }>`
    select c.id, e.hash is not null as has_vector from chunks c join documents d on d.id = c.document_id
      left join embeddings e on e.tenant = d.tenant and e.model = ${model} and e.hash = c.embed_hash
    where d.tenant = ${tenant}`.execute(db);
  return new Map(rows.map(({ id, has_vector }) => [id, has_vector]));
}

/**
 * Vectors are stored as little-endian 32-bit floats. The bytes are copied, because a buffer's offset may be unaligned.
 */
export const decodeVector = (bytes: Buffer): Float32Array =>
  new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
