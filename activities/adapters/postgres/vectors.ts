import { sql } from 'kysely';
import type { Database } from '../../../runtime/postgres.ts';
import type { Unembedded, Vectors } from '../../ports.ts';
import { recordChange } from './document-changes.ts';

/** The vectors of documents, by what was embedded. */
export const createVectors = (db: Database): Vectors => ({
  async missing(model, limit) {
    const { rows } = await sql<Unembedded>`
      select distinct on (tenant, hash) * from (
        select d.tenant, c.embed_hash as hash, embedded_text(c.heading_path, c.text) as text
        from chunks c join documents d on d.id = c.document_id
        where not exists (
          select from embeddings e where e.tenant = d.tenant and e.model = ${model} and e.hash = c.embed_hash
        )
        order by c.document_id desc, c.ordinal limit ${limit}
      ) unembedded`.execute(db);
    return rows;
  },

  async missingSince(model) {
    const { rows } = await sql<{ since: Date | null }>`
      select min(d.updated_at) as since from chunks c join documents d on d.id = c.document_id
      where not exists (
        select from embeddings e where e.tenant = d.tenant and e.model = ${model} and e.hash = c.embed_hash
      )`.execute(db);
    return rows[0]?.since ?? undefined;
  },

  async store(model, vectors) {
    if (vectors.length === 0) return;
    await db.transaction().execute(async (tx) => {
      const rows = vectors.map(({ tenant, hash, vector }) => ({
        ...{ tenant, model, hash },
        vector: Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength),
      }));
      await tx
        .insertInto('embeddings')
        .values(rows)
        .onConflict((conflict) => conflict.doNothing())
        .execute();
      const { rows: touched } = await sql<{ tenant: string; id: string }>`
        select distinct d.tenant, d.id from chunks c join documents d on d.id = c.document_id
        where (d.tenant, c.embed_hash) in (select * from unnest(${rows.map(({ tenant }) => tenant)}::text[], ${rows.map(({ hash }) => hash)}::text[]))
        order by d.id`.execute(tx);
      for (const { tenant, id } of touched) await recordChange(tx, tenant, id);
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
