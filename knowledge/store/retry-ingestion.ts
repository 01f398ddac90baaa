import { sql } from 'kysely';
import { v7 as newId } from 'uuid';
import { AlfredError } from '../../contract/errors.ts';
import type { ContentHash, Scope } from '../../contract/references.ts';
import type { Database } from '../../runtime/database/postgres.ts';
import { copyIngestionCallback } from '../../adapters/postgres/tasks/callbacks.ts';
import { removeUnusedFiles } from './files.ts';
import { ownedIngestions } from './ingestion-rows.ts';

/** How long the bytes of an unread file are kept for a retry, in days after the end of its ingestion. */
const keptDays = 7;

/**
 * Creates an ingestion of the files of an ended one that are still unread, or returns the retry that is running.
 *
 * @throws AlfredError `ingestion_running`, `ingestion_without_failures`, `file_bytes_gone`
 */
export const retryIngestion = (db: Database, scope: Scope, ingestionId: string): Promise<string | undefined> =>
  db.transaction().execute(async (trx) => {
    const requested = await ownedIngestions(trx, scope, ingestionId).select('retry_of').executeTakeFirst();
    if (!requested) return undefined;
    // The lock lets one retry be created at a time: a second request finds the retry of the first.
    const first = await ownedIngestions(trx, scope, requested.retry_of ?? ingestionId)
      .selectAll()
      .forUpdate()
      .executeTakeFirst();
    if (!first) return undefined;
    if (first.status === 'running')
      throw new AlfredError(
        'ingestion_running',
        `Ingestion ${first.id} is still being read: retry it when it has ended.`,
      );
    const lastRetry = await trx
      .selectFrom('ingestions')
      .select(['id', 'status', 'attempt'])
      .where('retry_of', '=', first.id)
      .orderBy('attempt', 'desc')
      .limit(1)
      .executeTakeFirst();
    if (lastRetry?.status === 'running') return lastRetry.id;
    const files = await filesToRetry(trx, scope, first);
    return insertRetry(trx, scope, { first, files, attempt: (lastRetry?.attempt ?? 0) + 1 });
  });

type FirstIngestion = {
  id: string;
  collection: string;
  readers: string[] | null;
  tags: string[] | null;
  origin: string | null;
  take_over: boolean;
  principal: unknown;
  created_at: Date;
};
type UnreadFile = { ordinal: number; content_hash: ContentHash };

/** The unread files of an ingestion whose bytes are still stored, at least one. */
async function filesToRetry(trx: Database, scope: Scope, first: FirstIngestion): Promise<UnreadFile[]> {
  const unread = await listUnreadFiles(trx, scope, first);
  if (unread.length === 0)
    throw new AlfredError(
      'ingestion_without_failures',
      `Nothing of ingestion ${first.id} is left to be read again: every file was read, by now or by a retry, or another one of its name was added.`,
    );
  const storedHashes = await lockStoredFiles(trx, scope, unread);
  const files = unread.filter(({ content_hash }) => storedHashes.has(content_hash));
  if (files.length === 0)
    throw new AlfredError(
      'file_bytes_gone',
      `The files of ingestion ${first.id} that were not read are no longer kept: that is ${keptDays} days. Add them again.`,
    );
  return files;
}

/**
 * Files of an ended ingestion that neither it nor a retry has read. Files
 * are left out when the subject's document of their name has changed since the upload.
 */
async function listUnreadFiles(
  trx: Database,
  { tenant, subject }: Scope,
  { id, collection, created_at }: FirstIngestion,
): Promise<UnreadFile[]> {
  const { rows } = await sql<UnreadFile>`
    select f.ordinal, f.content_hash from ingestion_files f
    where f.ingestion_id = ${id} and f.state in ('failed', 'pending')
      and not exists (
        select from ingestions i join ingestion_files r on r.ingestion_id = i.id and r.ordinal = f.ordinal
        where i.retry_of = ${id} and r.state in ('added', 'replaced', 'unchanged')
      )
      and not exists (
        select from documents d where d.tenant = ${tenant} and d.subject = ${subject}
          and d.collection = ${collection} and d.name = f.name
          and d.updated_at > ${created_at}
      )
    order by f.ordinal`.execute(trx);
  return rows;
}

/**
 * Locks those of the files whose bytes are stored. `removeUnusedFiles` waits for this lock, so the files stay stored
 * until the caller's transaction has ended.
 *
 * @returns the hashes of the stored files
 */
async function lockStoredFiles(trx: Database, { tenant }: Scope, files: UnreadFile[]): Promise<Set<ContentHash>> {
  const rows = await trx
    .selectFrom('files')
    .select('hash')
    .where('tenant', '=', tenant)
    .where('hash', 'in', [...new Set(files.map(({ content_hash }) => content_hash))])
    .orderBy('hash')
    .forUpdate()
    .execute();
  return new Set(rows.map(({ hash }) => hash));
}

/** The files keep the ordinals that they have in the first ingestion. @returns the retry's id */
async function insertRetry(
  trx: Database,
  { tenant, subject }: Scope,
  { first, files, attempt }: { first: FirstIngestion; files: UnreadFile[]; attempt: number },
): Promise<string> {
  const id = newId();
  const { collection, readers, tags, origin, take_over, principal } = first;
  await trx
    .insertInto('ingestions')
    .values({
      id,
      tenant,
      subject,
      status: 'running',
      ended_at: null,
      collection,
      readers,
      tags,
      origin,
      take_over,
      principal,
      retry_of: first.id,
      attempt,
    })
    .execute();
  await trx
    .insertInto('ingestion_files')
    .columns(['ingestion_id', 'ordinal', 'name', 'media_type', 'content_hash', 'size_bytes', 'state'])
    .expression(
      trx
        .selectFrom('ingestion_files')
        .select([sql.val(id).as('ingestion_id'), 'ordinal', 'name', 'media_type', 'content_hash', 'size_bytes'])
        .select(sql.lit('pending').as('state'))
        .where('ingestion_id', '=', first.id)
        .where(
          'ordinal',
          'in',
          files.map(({ ordinal }) => ordinal),
        ),
    )
    .execute();
  await copyIngestionCallback(trx, first.id, id);
  return id;
}

/** Deletes the bytes of at most `limit` unread files whose retry period is over. @returns how many files */
export const deleteExpiredFiles = (db: Database, limit: number): Promise<number> =>
  db.transaction().execute(async (trx) => {
    const { rows } = await sql<{ tenant: string; content_hash: ContentHash }>`
      with old as (
        select u.ingestion_id, u.ordinal, i.tenant from ingestion_files u join ingestions i on i.id = u.ingestion_id
        where u.kept and i.ended_at < now() - make_interval(days => ${keptDays})
        order by u.ingestion_id, u.ordinal limit ${limit} for update of u skip locked
      )
      update ingestion_files u set kept = false from old
      where u.ingestion_id = old.ingestion_id and u.ordinal = old.ordinal
      returning old.tenant, u.content_hash`.execute(trx);
    for (const [tenant, files] of Map.groupBy(rows, (row) => row.tenant))
      await removeUnusedFiles(trx, tenant, [...new Set(files.map(({ content_hash }) => content_hash))]);
    return rows.length;
  });
