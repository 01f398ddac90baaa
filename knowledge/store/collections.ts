import { sql } from 'kysely';
import { defaultChunking, type Chunking } from '../../contract/chunking.ts';
import type { Collection } from '../../contract/collections.ts';
import { AlfredError } from '../../contract/errors.ts';
import type { Scope } from '../../contract/references.ts';
import type { Database } from '../../runtime/database/postgres.ts';
import type { Collections } from '../../contract/ports/index.ts';
import { isReadable } from './readable.ts';

/** How the collection `c` cuts its documents. A collection without a row has the default. */
const settings = sql`coalesce(c.chunk_tokens, ${defaultChunking.chunkTokens}), coalesce(c.overlap_tokens, ${defaultChunking.overlapTokens})`;

/** Whether the document `d` is cut as its collection `c` wants now. */
export const hasCurrentChunking = sql<boolean>`((d.chunk_tokens, d.overlap_tokens) = (${settings}))`;

type Row = {
  name: string;
  chunk_tokens: number;
  overlap_tokens: number;
  documents: number;
  chunks: number;
  outdated: number;
};

/**
 * Collections of a tenant. A collection exists when it has settings or
 * a document that the subject may read. Only settings have a row.
 */
export const createCollections = (db: Database): Collections => ({
  async list(scope, { limit, cursor }) {
    const rows = await select(db, scope, { after: cursor, limit: limit + 1 });
    const page = rows.slice(0, limit).map(collectionOf);
    return { collections: page, nextCursor: rows.length > limit ? (page.at(-1)?.name ?? null) : null };
  },

  get: (scope, name) => get(db, scope, name),

  async set(scope, name, { chunkTokens, overlapTokens }) {
    const columns = { chunk_tokens: chunkTokens, overlap_tokens: overlapTokens, updated_at: new Date() };
    await db
      .insertInto('collections')
      .values({ tenant: scope.tenant, name, ...columns })
      .onConflict((conflict) => conflict.columns(['tenant', 'name']).doUpdateSet(columns))
      .execute();
    const collection = await get(db, scope, name);
    if (!collection) throw new AlfredError('internal');
    return collection;
  },
});

/** How documents of a collection are cut into chunks. */
export async function chunkingOf(db: Database, tenant: string, collection: string): Promise<Chunking> {
  const row = await db
    .selectFrom('collections')
    .select(['chunk_tokens', 'overlap_tokens'])
    .where('tenant', '=', tenant)
    .where('name', '=', collection)
    .executeTakeFirst();
  return row ? { chunkTokens: row.chunk_tokens, overlapTokens: row.overlap_tokens } : defaultChunking;
}

async function get(db: Database, scope: Scope, name: string): Promise<Collection | undefined> {
  const [row] = await select(db, scope, { name, limit: 1 });
  return row && collectionOf(row);
}

type Filter = { name?: string | undefined; after?: string | undefined; limit: number };

async function select(db: Database, scope: Scope, { name, after, limit }: Filter): Promise<Row[]> {
  const { rows } = await sql<Row>`
    with readable as (
      select d.collection as name, count(*)::int as documents, sum(d.chunk_count)::int as chunks,
        (count(*) filter (where not ${hasCurrentChunking}))::int as outdated
      from documents d left join collections c on c.tenant = d.tenant and c.name = d.collection
      where ${isReadable(scope)} and d.collection = coalesce(${name ?? null}, d.collection)
      group by d.collection
    )
    select coalesce(c.name, r.name) as name, coalesce(c.chunk_tokens, ${defaultChunking.chunkTokens}) as chunk_tokens,
      coalesce(c.overlap_tokens, ${defaultChunking.overlapTokens}) as overlap_tokens, coalesce(r.documents, 0) as documents,
      coalesce(r.chunks, 0) as chunks, coalesce(r.outdated, 0) as outdated
    from readable r full join (select * from collections where tenant = ${scope.tenant}) c on c.name = r.name
    where coalesce(c.name, r.name) = coalesce(${name ?? null}, c.name, r.name)
      and (${after ?? null}::text is null or coalesce(c.name, r.name) > ${after ?? null})
    order by 1
    limit ${limit}`.execute(db);
  return rows;
}

const collectionOf = ({ name, chunk_tokens, overlap_tokens, documents, chunks, outdated }: Row): Collection => ({
  name,
  settings: { chunkTokens: chunk_tokens, overlapTokens: overlap_tokens },
  documents,
  chunks,
  outdated,
});
