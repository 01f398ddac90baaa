import { sql } from 'kysely';
import type { Passage } from '../../../contract/documents.ts';
import type { Scope } from '../../../contract/references.ts';
import type { Database } from '../../../runtime/postgres.ts';

/** How far an index file is: which database it follows, the last change it applied, and when that change was made. */
export type Position = { source: string; applied: number; anchor: string | null };

/** Where Postgres stands, and when the change was made that the file applied last, if it is still noted. */
type Standing = { source: string; newest: number; anchor: string | null };

/**
 * Reads where Postgres stands. `source` names this very history of changes: it is another one after the tables were made
 * anew, the data copied to another server, or a standby or backup took over.
 */
export async function readStanding(db: Database, applied: number): Promise<Standing> {
  const { rows } = await sql<Standing>`
    select
      concat_ws('/', (select system_identifier from pg_control_system()), (select timeline_id from pg_control_checkpoint()),
        (select oid from pg_database where datname = current_database()), 'document_changes'::regclass::oid) as source,
      coalesce((select max(seq) from document_changes), 0) as newest,
      (select at::text from document_changes where seq = ${applied}) as anchor`.execute(db);
  if (!rows[0]) throw new Error('the database told no standing');
  return rows[0];
}

/** Whether a file at that position has only to go on, or has seen changes that this database never made. */
export const follows = (file: Position, postgres: Standing) =>
  file.source === postgres.source &&
  file.applied <= postgres.newest &&
  (postgres.anchor === null || postgres.anchor === file.anchor);

export type IndexedPassage = {
  chunkId: string;
  documentId: string;
  tenant: string;
  title: string;
  headings: string;
  body: string;
};
export type Changes = { seq: number; at: string; documentIds: string[]; passages: IndexedPassage[] };

/** Documents are taken until they have this many passages together, one at the least. */
const passagesAtOnce = 500;

/** The next changes after `applied`, with what the changed documents hold now. @returns undefined when there are none */
export async function readChanges(db: Database, applied: number): Promise<Changes | undefined> {
  const changes = await db
    .selectFrom('document_changes as c')
    .leftJoin('documents as d', 'd.id', 'c.document_id')
    .select(['c.seq', 'c.document_id', 'd.chunk_count', sql<string>`c.at::text`.as('at')])
    .where('c.seq', '>', applied)
    .orderBy('c.seq')
    .limit(passagesAtOnce)
    .execute();
  let passages = 0;
  const taken = changes.filter(({ chunk_count }, i) => (passages += chunk_count ?? 0) <= passagesAtOnce || i === 0);
  const last = taken.at(-1);
  if (!last) return undefined;
  const documentIds = taken.map(({ document_id }) => document_id);
  return { seq: last.seq, at: last.at, documentIds, passages: await readIndexed(db, documentIds) };
}

async function readIndexed(db: Database, documentIds: string[]): Promise<IndexedPassage[]> {
  const rows = await db
    .selectFrom('chunks as c')
    .innerJoin('documents as d', 'd.id', 'c.document_id')
    .select(['c.id', 'c.document_id', 'd.tenant', 'd.title', 'c.heading_path', 'c.text'])
    .where('c.document_id', 'in', documentIds)
    .orderBy('c.document_id')
    .orderBy('c.ordinal')
    .execute();
  return rows.map((row) => ({
    chunkId: row.id,
    documentId: row.document_id,
    tenant: row.tenant,
    title: row.title,
    headings: row.heading_path.join('\n'),
    body: row.text,
  }));
}

/** Passages by the ids of their chunks, as they are now; one that is gone, or another tenant's, is missing. */
export async function readPassages(
  db: Database,
  { tenant }: Scope,
  chunkIds: string[],
): Promise<Map<string, Omit<Passage, 'score'>>> {
  const rows = await db
    .selectFrom('chunks as c')
    .innerJoin('documents as d', 'd.id', 'c.document_id')
    .select([
      'c.id',
      'c.document_id',
      'd.name',
      'd.title',
      'd.content_hash',
      'c.heading_path',
      'c.page',
      'c.text',
      'c.start_at',
      'c.end_at',
    ])
    .where('d.tenant', '=', tenant)
    .where('c.id', 'in', chunkIds)
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
        text: row.text,
        start: row.start_at,
        end: row.end_at,
      },
    ]),
  );
}
