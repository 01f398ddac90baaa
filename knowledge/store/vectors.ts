import { sql } from 'kysely';
import type { Database } from '../../runtime/database/postgres.ts';
import type { UnembeddedText, Vectors } from '../../contract/ports/index.ts';
import { writeSentenceVectors } from './sentence-vectors.ts';
import { lockVectors, recordChanges } from './document-changes.ts';

/** Documents that are published in one transaction. */
const publishBatchSize = 500;

/**
 * Whether the document `d` is not marked as fully embedded by a model. Written as
 * three ranges, because an index exists for these and `<>` could not use it.
 */
const isUnpublished = (model: string) =>
  sql`(d.embedded_by is null or d.embedded_by < ${model} or d.embedded_by > ${model})`;

/** Selects the chunks of the document `d` that have no vector of the model. */
const unembeddedChunks = (model: string) => sql`
  select from chunks c where c.document_id = d.id and not exists (
    select from embeddings e where e.tenant = d.tenant and e.model = ${model} and e.hash = c.embed_hash
  )`;

/**
 * Vectors, stored under the hash of the text. `documents.embedded_by` is the model that has embedded all of a document.
 */
export const createVectors = (db: Database): Vectors => ({
  async pendingSince(model) {
    const { rows } = await sql<{ since: Date | null }>`
      select min(d.updated_at) as since from documents d where ${isUnpublished(model)}`.execute(db);
    return rows[0]?.since ?? undefined;
  },

  async listMissing(model, limit) {
    const { rows } = await sql<UnembeddedText>`
      select distinct on (tenant, hash) * from (
        select d.tenant, c.embed_hash as hash, array_to_string(c.heading_path, chr(10)) as headings, c.text
        from documents d join chunks c on c.document_id = d.id
        where ${isUnpublished(model)} and not exists (
          select from embeddings e where e.tenant = d.tenant and e.model = ${model} and e.hash = c.embed_hash
        )
        order by c.document_id desc, c.ordinal limit ${limit}
      ) unembedded`.execute(db);
    return rows;
  },

  async store(model, vectors) {
    if (vectors.length === 0) return;
    const rows = vectors.map(({ tenant, hash, vector, sentences }) => ({
      tenant,
      model,
      hash,
      vector: Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength),
      sentences: sentences ? writeSentenceVectors(sentences) : null,
    }));
    await db
      .insertInto('embeddings')
      .values(rows)
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  },

  async publish(model, texts) {
    const { rows } = texts
      ? await sql<{ id: string }>`
          select distinct d.id from chunks c join documents d on d.id = c.document_id
          where (d.tenant, c.embed_hash) in (
            select * from unnest(${texts.map(({ tenant }) => tenant)}::text[], ${texts.map(({ hash }) => hash)}::text[])
          )`.execute(db)
      : await sql<{ id: string }>`
          select d.id from documents d where ${isUnpublished(model)} and not exists (${unembeddedChunks(model)})`.execute(
          db,
        );
    const ids = rows.map(({ id }) => id).sort();
    for (let from = 0; from < ids.length; from += publishBatchSize)
      await publishDocuments(db, model, ids.slice(from, from + publishBatchSize), {
        includeIncomplete: texts !== undefined,
      });
  },

  async progress(model, tenant) {
    const { rows } = await sql<{ chunks: number; embedded: number }>`
      select count(*)::int as chunks, count(e.hash)::int as embedded
      from chunks c join documents d on d.id = c.document_id
        left join embeddings e on e.tenant = d.tenant and e.model = ${model} and e.hash = c.embed_hash
      where d.tenant = coalesce(${tenant ?? null}::text, d.tenant)`.execute(db);
    return rows[0] ?? { chunks: 0, embedded: 0 };
  },
});

/**
 * Marks the documents that have all vectors and records them as changed, so that the indexes read their vectors. With
 * `includeIncomplete` the other documents are recorded as changed too. Mark and record are one transaction: a document
 * whose stored vectors are not recorded yet has no mark and is found again.
 */
const publishDocuments = (
  db: Database,
  model: string,
  ids: string[],
  { includeIncomplete }: { includeIncomplete: boolean },
) =>
  db.transaction().execute(async (trx) => {
    // Waits for a transaction that is replacing one of the documents, and reads the new version.
    const { rows: unpublished } = await sql<{ tenant: string; id: string }>`
      select d.tenant, d.id from documents d where d.id = any(${ids}) and ${isUnpublished(model)}
      order by d.id for no key update`.execute(trx);
    if (unpublished.length === 0) return;
    await lockVectors(trx);
    const { rows: complete } = await sql<{ tenant: string; id: string }>`
      update documents d set embedded_by = ${model}
      where d.id = any(${unpublished.map(({ id }) => id)}) and not exists (${unembeddedChunks(model)})
      returning d.tenant, d.id`.execute(trx);
    await recordChanges(trx, includeIncomplete ? unpublished : complete);
  });
