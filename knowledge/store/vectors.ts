import { sql } from 'kysely';
import type { Database } from '../../runtime/database/postgres.ts';
import type { UnembeddedText, Vectors } from '../../contract/ports/index.ts';
import { lockVectors, recordChanges } from './document-changes.ts';

/** Documents that are settled in one transaction. */
const settledAtOnce = 500;

/** Documents `d` that are not known to have all vectors of a model. Three ranges, for which there is an index. */
const isUnsettled = (model: string) =>
  sql`(d.embedded_by is null or d.embedded_by < ${model} or d.embedded_by > ${model})`;

/** Chunks of the document `d` that have no vector. */
const unembedded = (model: string) => sql`
  select from chunks c where c.document_id = d.id and not exists (
    select from embeddings e where e.tenant = d.tenant and e.model = ${model} and e.hash = c.embed_hash
  )`;

/** The vectors of documents, by what was embedded; `documents.embedded_by` says where nothing is left to do. */
export const createVectors = (db: Database): Vectors => ({
  async pendingSince(model) {
    const { rows } = await sql<{ since: Date | null }>`
      select min(d.updated_at) as since from documents d where ${isUnsettled(model)}`.execute(db);
    return rows[0]?.since ?? undefined;
  },

  async listMissing(model, limit) {
    const { rows } = await sql<UnembeddedText>`
      select distinct on (tenant, hash) * from (
        select d.tenant, c.embed_hash as hash, array_to_string(c.heading_path, chr(10)) as headings, c.text
        from documents d join chunks c on c.document_id = d.id
        where ${isUnsettled(model)} and not exists (
          select from embeddings e where e.tenant = d.tenant and e.model = ${model} and e.hash = c.embed_hash
        )
        order by c.document_id desc, c.ordinal limit ${limit}
      ) unembedded`.execute(db);
    return rows;
  },

  async store(model, vectors) {
    if (vectors.length === 0) return;
    const rows = vectors.map(({ tenant, hash, vector }) => ({
      ...{ tenant, model, hash },
      vector: Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength),
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
          select d.id from documents d where ${isUnsettled(model)} and not exists (${unembedded(model)})`.execute(db);
    const ids = rows.map(({ id }) => id).sort();
    for (let from = 0; from < ids.length; from += settledAtOnce)
      await settleDocuments(db, model, ids.slice(from, from + settledAtOnce), { partly: texts !== undefined });
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
 * Marks those of the documents that have all vectors, and notes the change of these, or `partly` of the others too. Mark and
 * note are one transaction: whatever is stored and not noted is found by the missing mark.
 */
const settleDocuments = (db: Database, model: string, ids: string[], { partly }: { partly: boolean }) =>
  db.transaction().execute(async (tx) => {
    // A document that is being replaced is waited for, and looked at as it is then.
    const { rows: unsettled } = await sql<{ tenant: string; id: string }>`
      select d.tenant, d.id from documents d where d.id = any(${ids}) and ${isUnsettled(model)}
      order by d.id for no key update`.execute(tx);
    if (unsettled.length === 0) return;
    await lockVectors(tx);
    const { rows: complete } = await sql<{ tenant: string; id: string }>`
      update documents d set embedded_by = ${model}
      where d.id = any(${unsettled.map(({ id }) => id)}) and not exists (${unembedded(model)})
      returning d.tenant, d.id`.execute(tx);
    await recordChanges(tx, partly ? unsettled : complete);
  });
