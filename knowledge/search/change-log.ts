import { sql } from 'kysely';
import type { Database } from '../../runtime/database/postgres.ts';
import { readersOf, type IndexedDocument } from './passage-index.ts';

/** Where Postgres stands for a tenant, and when the change was made that an index applied last, if it is still noted. */
type Standing = { source: string; newest: number; anchor: string | null };

/**
 * Reads where Postgres stands. `source` names this very history of changes: it is another one after the tables were made
 * anew, the data copied to another server, or a standby or backup took over.
 */
export async function readChangeLogHead(db: Database, tenant: string, applied: number): Promise<Standing> {
  const { rows } = await sql<Standing>`
    select
      concat_ws('/', (select system_identifier from pg_control_system()), (select timeline_id from pg_control_checkpoint()),
        (select oid from pg_database where datname = current_database()), 'document_changes'::regclass::oid) as source,
      coalesce((select max(seq) from document_changes where tenant = ${tenant}), 0) as newest,
      (select at::text from document_changes where seq = ${applied}) as anchor`.execute(db);
  if (!rows[0]) throw new Error('the database told no standing');
  return rows[0];
}

/** Whether an index at that position has only to go on, or has seen changes that this database never made. */
export const isSameHistory = (index: { source: string; applied: number; anchor: string | null }, postgres: Standing) =>
  index.source === postgres.source &&
  index.applied <= postgres.newest &&
  (postgres.anchor === null || postgres.anchor === index.anchor);

type From = { tenant: string; applied: number; model: string };
export type DocumentChanges = { seq: number; at: string; documentIds: string[]; documents: IndexedDocument[] };

/** Documents are taken until they have this many passages together, one at the least. */
const passagesAtOnce = 500;

/** A tenant's next changes after `applied`, with what the changed documents hold now. @returns undefined when there are none */
export async function readChanges(
  db: Database,
  { tenant, applied, model }: From,
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
  let passages = 0;
  const taken = changes.filter(({ chunk_count }, i) => (passages += chunk_count ?? 0) <= passagesAtOnce || i === 0);
  const last = taken.at(-1);
  if (!last) return undefined;
  const documentIds = taken.map(({ document_id }) => document_id);
  return { seq: last.seq, at: last.at, documentIds, documents: await readDocuments(db, model, documentIds) };
}

/** What the documents hold now, with the vectors that `model` has made of it so far. */
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

/** How many documents have changed after a position. */
export async function countChangesAfter(db: Database, tenant: string, applied: number): Promise<number> {
  const { rows } = await sql<{ n: number }>`
    select count(*)::int as n from document_changes where tenant = ${tenant} and seq > ${applied}`.execute(db);
  return rows[0]?.n ?? 0;
}

type At = { tenant: string; applied: number };

/** When the oldest change was made that comes after the positions. */
export async function oldestUnappliedChange(db: Database, positions: At[]): Promise<Date | undefined> {
  if (positions.length === 0) return undefined;
  const { rows } = await sql<{ since: Date | null }>`
    select min(c.at) as since
    from unnest(${positions.map(({ tenant }) => tenant)}::text[], ${positions.map(({ applied }) => applied)}::bigint[]) as p (tenant, applied)
      cross join lateral (
        select at from document_changes where tenant = p.tenant and seq > p.applied order by seq limit 1
      ) as c`.execute(db);
  return rows[0]?.since ?? undefined;
}

/** All chunks of a tenant, and whether the model has made a vector of each. */
export async function readChunkIds(db: Database, tenant: string, model: string): Promise<Map<string, boolean>> {
  const { rows } = await sql<{ id: string; has_vector: boolean }>`
    select c.id, e.hash is not null as has_vector from chunks c join documents d on d.id = c.document_id
      left join embeddings e on e.tenant = d.tenant and e.model = ${model} and e.hash = c.embed_hash
    where d.tenant = ${tenant}`.execute(db);
  return new Map(rows.map(({ id, has_vector }) => [id, has_vector]));
}

/** Vectors as they are stored: 32-bit floats, little-endian. Copied, for a buffer's bytes may stand anywhere. */
export const decodeVector = (bytes: Buffer): Float32Array =>
  new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
