import { sql } from 'kysely';
import { LRUCache } from 'lru-cache';
import type { Database } from '../../../runtime/database/postgres.ts';
import type { Language } from '../../../contract/rules/stems.ts';
import type { IndexPosition } from '../change-log.ts';
import { weightedTerms } from './bm25.ts';

/**
 * Used until there are enough chunks to measure: the usual length in words of Alfred's chunks, with headings and titles
 * counted by their weights.
 */
const defaultLength = 200;
const minSample = 100;
const maxSample = 1_000;

/** The average length of passages in words, from a sample of the chunks of all tenants. */
export async function averageLengthIn(db: Database): Promise<number> {
  const rows = await db
    .selectFrom('chunks as c')
    .innerJoin('documents as d', 'd.id', 'c.document_id')
    .select(['d.title', 'd.language', 'c.heading_path', 'c.text'])
    .limit(maxSample)
    .execute();
  if (rows.length < minSample) return defaultLength;
  const lengths = rows.map(
    ({ title, language, heading_path, text }) =>
      weightedTerms({ title, headings: heading_path.join('\n'), body: text }, language).length,
  );
  return Math.max(1, Math.round(lengths.reduce((sum, length) => sum + length, 0) / rows.length));
}

/** The dimensions of a model's vectors. @returns undefined while the model has made none for the tenant */
export async function dimensionsOf(db: Database, tenant: string, model: string): Promise<number | undefined> {
  if (model === '') return undefined;
  const { rows } = await sql<{ dimensions: number }>`
    select octet_length(vector) / 4 as dimensions from embeddings
    where tenant = ${tenant} and model = ${model} limit 1`.execute(db);
  return rows[0]?.dimensions;
}

/** Reads the languages of a tenant's documents; again only when the index has followed further changes. */
export function createLanguages(db: Database) {
  const known = new LRUCache<string, Language[]>({ max: 10_000 });
  return async (tenant: string, { source, applied }: IndexPosition): Promise<Language[]> => {
    const key = JSON.stringify([tenant, source, applied]);
    const kept = known.get(key);
    if (kept) return kept;
    const rows = await db.selectFrom('documents').select('language').distinct().where('tenant', '=', tenant).execute();
    const languages = rows.map(({ language }) => language);
    known.set(key, languages);
    return languages;
  };
}

/** Every tenant that has documents, or had some. */
export async function tenantsWithChanges(db: Database): Promise<string[]> {
  const rows = await db.selectFrom('document_changes').select('tenant').distinct().orderBy('tenant').execute();
  return rows.map(({ tenant }) => tenant);
}
