import { sql } from 'kysely';
import type { Passage } from '../../contract/documents.ts';
import type { Scope } from '../../contract/references.ts';
import type { Language } from '../../contract/rules/stems.ts';
import type { Database } from '../../runtime/database/postgres.ts';
import { isReadable } from '../store/readable.ts';

/**
 * A passage and its place in the document.
 *
 * @property ordinal  number of the chunk in the document, from 0
 * @property gap      white space between this chunk and the one before; null when other text stands there
 * @property language of the document
 */
export type ReadPassage = Omit<Passage, 'score'> & { ordinal: number; gap: string | null; language: Language };

/** Reads passages as they are now, by chunk id. Leaves out those that are gone or that the caller may not read. */
export async function readPassages(db: Database, scope: Scope, chunkIds: string[]): Promise<Map<string, ReadPassage>> {
  const rows = await db
    .selectFrom('chunks as c')
    .innerJoin('documents as d', 'd.id', 'c.document_id')
    .select(['c.id', 'c.document_id', 'd.name', 'd.title', 'd.content_hash', 'd.version', 'c.heading_path'])
    .select(['c.page', 'c.text', 'c.start_at', 'c.end_at', 'c.ordinal', 'c.gap', 'd.language'])
    .where(isReadable(scope))
    // One array, and not a list of parameters: each length of a list is another statement, which is not prepared.
    .where(sql<boolean>`c.id = any(${chunkIds}::text[])`)
    .execute();
  return new Map(
    rows.map((row) => [
      row.id,
      {
        chunkId: row.id,
        documentId: row.document_id,
        document: row.name,
        title: row.title,
        headingPath: row.heading_path,
        page: row.page,
        contentHash: row.content_hash,
        version: row.version,
        text: row.text,
        start: row.start_at,
        end: row.end_at,
        ordinal: row.ordinal,
        gap: row.gap,
        language: row.language,
      },
    ]),
  );
}
