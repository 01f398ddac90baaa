import { sql } from 'kysely';
import { v7 as newId } from 'uuid';
import { AlfredError } from '../../contract/errors.ts';
import type { Scope } from '../../contract/references.ts';
import type { Database } from '../../runtime/database/postgres.ts';
import { removeUnusedFiles } from './files.ts';
import { ownedIngestions } from './owned-ingestions.ts';

/** How long the bytes of a file that was not read wait for a retry, in days after the end of its ingestion. */
const keptDays = 7;

/** See the port. */
export const retryIngestion = (db: Database, scope: Scope, ingestionId: string): Promise<string | undefined> =>
  db.transaction().execute(async (tx) => {
    const asked = await ownedIngestions(tx, scope, ingestionId).select('retry_of').executeTakeFirst();
    if (!asked) return undefined;
    // One at a time: whoever comes second finds the retry of the first.
    const first = await ownedIngestions(tx, scope, asked.retry_of ?? ingestionId)
      .selectAll()
      .forUpdate()
      .executeTakeFirst();
    if (!first) return undefined;
    if (first.status === 'running')
      throw new AlfredError(
        'ingestion_running',
        `Ingestion ${first.id} is still being read: retry it when it has ended.`,
      );
    const last = await tx
      .selectFrom('ingestions')
      .select(['id', 'status', 'attempt'])
      .where('retry_of', '=', first.id)
      .orderBy('attempt', 'desc')
      .limit(1)
      .executeTakeFirst();
    if (last?.status === 'running') return last.id;
    const left = await filesLeft(tx, scope, first);
    if (left.length === 0)
      throw new AlfredError(
        'ingestion_without_failures',
        `Nothing of ingestion ${first.id} is left to be read again: every file was read, by now or by a retry, or another one of its name was added.`,
      );
    const stored = await lockBytes(tx, scope, left);
    const files = left.filter(({ content_hash }) => stored.has(content_hash));
    if (files.length === 0)
      throw new AlfredError(
        'file_bytes_gone',
        `The files of ingestion ${first.id} that were not read are no longer kept: that is ${keptDays} days. Add them again.`,
      );
    const id = newId();
    const { tenant, subject, collection, readers, tags } = first;
    await tx
      .insertInto('ingestions')
      .values({
        ...{ id, tenant, subject, status: 'running', ended_at: null, collection, readers, tags },
        ...{ retry_of: first.id, attempt: (last?.attempt ?? 0) + 1 },
      })
      .execute();
    await tx
      .insertInto('ingestion_files')
      .columns(['ingestion_id', 'ordinal', 'name', 'media_type', 'content_hash', 'size_bytes', 'state'])
      .expression(
        tx
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
    return id;
  });

type First = { id: string; collection: string; created_at: Date };
type Left = { ordinal: number; content_hash: string };

/** Files that neither the ingestion, which has ended, nor a retry has read, and whose name stands for nothing newer. */
async function filesLeft(tx: Database, { tenant }: Scope, { id, collection, created_at }: First): Promise<Left[]> {
  const { rows } = await sql<Left>`
    select f.ordinal, f.content_hash from ingestion_files f
    where f.ingestion_id = ${id} and f.state in ('failed', 'pending')
      and not exists (
        select from ingestions i join ingestion_files r on r.ingestion_id = i.id and r.ordinal = f.ordinal
        where i.retry_of = ${id} and r.state in ('added', 'replaced', 'unchanged')
      )
      and not exists (
        select from documents d where d.tenant = ${tenant} and d.collection = ${collection} and d.name = f.name
          and d.updated_at > ${created_at}
      )
    order by f.ordinal`.execute(tx);
  return rows;
}

/** @returns hashes of what is stored; it stays, for whoever removes files waits for this transaction's end */
async function lockBytes(tx: Database, { tenant }: Scope, left: Left[]): Promise<Set<string>> {
  const rows = await tx
    .selectFrom('files')
    .select('hash')
    .where('tenant', '=', tenant)
    .where('hash', 'in', [...new Set(left.map(({ content_hash }) => content_hash))])
    .orderBy('hash')
    .forUpdate()
    .execute();
  return new Set(rows.map(({ hash }) => hash));
}

/** See the port. */
export const forgetKeptFiles = (db: Database, limit: number): Promise<number> =>
  db.transaction().execute(async (tx) => {
    const { rows } = await sql<{ tenant: string; content_hash: string }>`
      with old as (
        select u.ingestion_id, u.ordinal, i.tenant from ingestion_files u join ingestions i on i.id = u.ingestion_id
        where u.kept and i.ended_at < now() - make_interval(days => ${keptDays})
        order by u.ingestion_id, u.ordinal limit ${limit} for update of u skip locked
      )
      update ingestion_files u set kept = false from old
      where u.ingestion_id = old.ingestion_id and u.ordinal = old.ordinal
      returning old.tenant, u.content_hash`.execute(tx);
    for (const [tenant, files] of Map.groupBy(rows, (row) => row.tenant))
      await removeUnusedFiles(tx, tenant, [...new Set(files.map(({ content_hash }) => content_hash))]);
    return rows.length;
  });
