import { sql } from 'kysely';
import type { Database } from '../../../runtime/database/postgres.ts';
import { weightedTerms } from './bm25.ts';

/** Length in words of the chunks that Alfred cuts, their headings and titles counted as they weigh, until there are enough to tell. */
const usualLength = 200;
const enough = 100;
const sampled = 1_000;

/** How long passages are on average, in words. Chunks of a corpus stay alike, so what holds for some holds for all. */
export async function averageLengthIn(db: Database): Promise<number> {
  const rows = await db
    .selectFrom('chunks as c')
    .innerJoin('documents as d', 'd.id', 'c.document_id')
    .select(['d.title', 'c.heading_path', 'c.text'])
    .limit(sampled)
    .execute();
  if (rows.length < enough) return usualLength;
  const lengths = rows.map(
    ({ title, heading_path, text }) => weightedTerms({ title, headings: heading_path.join('\n'), body: text }).length,
  );
  return Math.max(1, Math.round(lengths.reduce((sum, length) => sum + length, 0) / rows.length));
}

/** How many numbers a vector of a model has. @returns undefined while the model has made none for the tenant */
export async function dimensionsOf(db: Database, tenant: string, model: string): Promise<number | undefined> {
  if (model === '') return undefined;
  const { rows } = await sql<{ dimensions: number }>`
    select octet_length(vector) / 4 as dimensions from embeddings
    where tenant = ${tenant} and model = ${model} limit 1`.execute(db);
  return rows[0]?.dimensions;
}

export async function tenantsWithChanges(db: Database): Promise<string[]> {
  const rows = await db.selectFrom('document_changes').select('tenant').distinct().orderBy('tenant').execute();
  return rows.map(({ tenant }) => tenant);
}
