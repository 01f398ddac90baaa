import { sql, type RawBuilder } from 'kysely';
import type { SlackRemoval } from '../../../contract/ports/index.ts';
import type { Scope } from '../../../contract/references.ts';
import { slackCollection } from '../../../contract/rules/attached-files.ts';
import type { Database } from '../../../runtime/database/postgres.ts';

/** Longer than the reading of a file takes, and than a failed file can be read again. */
const keptFor = '30 days';

/** A document that was not read in time has come later: it is found by its name. */
export const isDocumentOf = sql<boolean>`d.tenant = f.tenant and d.subject = f.subject
  and d.collection = ${slackCollection} and d.name = f.document_name`;

type Row = { channel: string; ts: string; fileId: string };

/** A message as a whole has no file, and a file wherever it was shared no message. */
const rowsOf = (removal: SlackRemoval): Row[] => {
  if ('fileId' in removal) return [{ channel: '', ts: '', fileId: removal.fileId }];
  const { channel, ts, fileIds = [''] } = removal;
  return fileIds.map((fileId) => ({ channel, ts, fileId }));
};

/** Whether the file `f` is among what was deleted. */
const isAmong = (removals: SlackRemoval[]): RawBuilder<boolean> =>
  sql<boolean>`(${sql.join(
    removals.flatMap(rowsOf).map(({ channel, ts, fileId }) => {
      const isOfFile = sql`f.file_id = ${fileId}`;
      if (channel === '') return isOfFile;
      return sql`(f.channel = ${channel} and f.ts = ${ts} and ${fileId === '' ? sql`true` : isOfFile})`;
    }),
    sql` or `,
  )})`;

/** Stores the deletions first, and reads the files then: see `begin` of the files. */
export async function markRemoved(
  db: Database,
  removals: SlackRemoval[],
): Promise<(Scope & { ingestionId: string })[]> {
  const rows = removals.flatMap(rowsOf);
  if (rows.length === 0) return [];
  await sql`
    insert into slack_removals (channel, ts, file_id)
    select distinct channel, ts, "fileId" from json_to_recordset(${JSON.stringify(rows)})
      as r (channel text, ts text, "fileId" text)
    on conflict do nothing`.execute(db);
  // The rows as they were before: those that are marked here count as removed.
  const { rows: uploads } = await sql<Scope & { ingestionId: string }>`
    with marked as (
      update slack_files f set removed_at = coalesce(f.removed_at, now()) where ${isAmong(removals)}
      returning f.team, f.channel, f.ts, f.position, f.ingestion_id
    )
    select i.tenant, i.subject, i.id as "ingestionId" from ingestions i
    where i.status = 'running' and i.id in (select ingestion_id from marked)
      and not exists (
        select from marked m join slack_files o on o.team = m.team and o.channel = m.channel and o.ts = m.ts
        where m.ingestion_id = i.id and o.ingestion_id = i.id and o.removed_at is null
          and o.position not in (
            select position from marked n where n.team = o.team and n.channel = o.channel and n.ts = o.ts))`.execute(
    db,
  );
  return uploads;
}

export async function listRemoved(
  db: Database,
  removals?: SlackRemoval[],
): Promise<(Scope & { documentId: string })[]> {
  if (removals?.length === 0) return [];
  const { rows } = await sql<Scope & { documentId: string }>`
    select distinct d.tenant, d.subject, d.id as "documentId"
    from slack_files f join documents d on ${isDocumentOf}
    where f.removed_at is not null and ${removals ? isAmong(removals) : sql`true`}
      and not exists (
        select from slack_files o
        where o.document_name = f.document_name and o.tenant = f.tenant and o.subject = f.subject
          and o.removed_at is null)`.execute(db);
  return rows;
}

export const removeOldRemovals = (db: Database) =>
  sql`delete from slack_removals where removed_at < now() - ${keptFor}::interval`.execute(db);
