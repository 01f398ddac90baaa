import { sql, type Selectable } from 'kysely';
import type { BegunSlackFile, SlackFile, SlackFiles, SlackMessageRef } from '../../../contract/ports/index.ts';
import type { Scope } from '../../../contract/references.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import type { Tables } from '../../../runtime/database/tables.ts';
import { isDocumentOf, listRemoved, markRemoved, removeOldRemovals } from './removed-slack-files.ts';

const removedAtOnce = 5_000;
/** Longer than a message is tried to be handled. */
const begunFor = '2 days';

/** The files of messages as rows. The processing of a lane is in order, so earlier messages have theirs. */
export const createSlackFiles = (db: Database): SlackFiles => ({
  find: (message) => find(db, message),

  begin: (message, owner, files) => begin(db, message, owner, files),

  async beginUpload({ team, channel, ts }, ingestionId) {
    await sql`
      update slack_files set ingestion_id = ${ingestionId}::uuid
      where team = ${team} and channel = ${channel} and ts = ${ts} and not is_settled
        and document_name is not null`.execute(db);
  },

  async findUpload({ team, channel, ts }) {
    const { rows } = await sql<BegunSlackFile & { ingestionId: string | null }>`
      select coalesce(file_id, '') as "fileId", name, document_name as "documentName", problem,
        ingestion_id as "ingestionId"
      from slack_files where team = ${team} and channel = ${channel} and ts = ${ts} and not is_settled
      order by position`.execute(db);
    const ingestionId = rows.find((row) => row.ingestionId !== null)?.ingestionId;
    if (!ingestionId) return undefined;
    return { files: rows.map(({ ingestionId: _, ...file }) => file), ingestionId };
  },

  async store(message, files) {
    const { team, channel, ts } = message;
    const rows = files.map(({ documentId, problem }, position) => ({ position, document_id: documentId, problem }));
    await sql`
      update slack_files f set is_settled = true, document_id = o.document_id, problem = o.problem
      from json_to_recordset(${JSON.stringify(rows)}) as o (position integer, document_id uuid, problem text)
      where f.team = ${team} and f.channel = ${channel} and f.ts = ${ts} and f.position = o.position
        and not f.is_settled`.execute(db);
    return (await find(db, message)) ?? files;
  },

  async take({ team, channel, threadTs, ts }) {
    const { rows } = await sql<Row>`
      with taken as (
        update slack_files set question_ts = ${ts}
        where team = ${team} and channel = ${channel} and thread_ts = ${threadTs}
          and (question_ts is null or question_ts = ${ts}) and is_settled and removed_at is null
        returning ts, position, name, document_name, document_id, problem
      )
      select * from taken order by ts, position`.execute(db);
    return rows.map(fileOf);
  },

  async giveBack({ team, channel, threadTs, ts }) {
    await sql`
      update slack_files set question_ts = null
      where team = ${team} and channel = ${channel} and thread_ts = ${threadTs} and question_ts = ${ts}`.execute(db);
  },

  markRemoved: (removals) => markRemoved(db, removals),

  listRemoved: (removals) => listRemoved(db, removals),

  async removeOld() {
    await removeOldRemovals(db);
    const { numAffectedRows } = await sql`
      delete from slack_files where (team, channel, ts, position) in (
        select team, channel, ts, position from slack_files f
        where (f.removed_at is not null or not exists (
            select from slack_threads t
            where t.team = f.team and t.channel = f.channel and t.thread_ts = f.thread_ts))
          and not exists (select from documents d where ${isDocumentOf})
          and not ${mayBecomeDocument}
        limit ${removedAtOnce} for update skip locked)`.execute(db);
    return Number(numAffectedRows ?? 0);
  },
});

/** Its upload is not known yet, still reads it, or can be read again. */
export const mayBecomeDocument = sql<boolean>`(
  (not f.is_settled and f.begun_at > now() - ${begunFor}::interval)
  or exists (
    select from ingestion_files u join ingestions i on i.id = u.ingestion_id
    where u.ingestion_id = f.ingestion_id and u.name = f.document_name
      and (u.kept or (u.state = 'pending' and i.status = 'running'))))`;

type Row = Pick<Selectable<Tables['slack_files']>, 'name' | 'document_name' | 'document_id' | 'problem'>;

const fileOf = ({ name, document_name, document_id, problem }: Row): SlackFile => ({
  name,
  documentName: document_name,
  documentId: document_id,
  problem,
});

async function find(db: Database, { team, channel, ts }: SlackMessageRef): Promise<SlackFile[] | undefined> {
  const rows = await db
    .selectFrom('slack_files')
    .select(['name', 'document_name', 'document_id', 'problem'])
    .where('team', '=', team)
    .where('channel', '=', channel)
    .where('ts', '=', ts)
    .where('is_settled', '=', true)
    .orderBy('position')
    .execute();
  return rows.length === 0 ? undefined : rows.map(fileOf);
}

/**
 * Stores the files first and reads the deletions then; `markRemoved` does both the other way round. So one of the two
 * sees the other.
 */
async function begin(
  db: Database,
  { team, channel, threadTs, ts }: SlackMessageRef,
  { tenant, subject }: Scope,
  files: BegunSlackFile[],
): Promise<boolean> {
  const rows = files.map(({ fileId, name, documentName, problem }, position) => ({
    position,
    file_id: fileId,
    name,
    document_name: documentName,
    problem,
  }));
  // A file that is gone at a repeat may be a document by the first attempt.
  await sql`
    insert into slack_files as b (
      team, channel, thread_ts, ts, tenant, subject, position, file_id, name, document_name, problem, is_settled)
    select ${team}, ${channel}, ${threadTs}, ${ts}, ${tenant}, ${subject}, f.*, false
    from json_to_recordset(${JSON.stringify(rows)})
      as f (position integer, file_id text, name text, document_name text, problem text)
    on conflict (team, channel, ts, position) do update set name = excluded.name, problem = excluded.problem,
      document_name = coalesce(excluded.document_name, b.document_name)
    where not b.is_settled`.execute(db);
  await sql`
    update slack_files f set removed_at = now()
    where f.team = ${team} and f.channel = ${channel} and f.ts = ${ts} and f.removed_at is null
      and (exists (
          select from slack_removals r
          where r.channel = f.channel and r.ts = f.ts and r.file_id in ('', f.file_id))
        or exists (select from slack_removals r where r.channel = '' and r.ts = '' and r.file_id = f.file_id))`.execute(
    db,
  );
  const { rows: removals } = await sql`
    select from slack_removals where channel = ${channel} and ts = ${ts} and file_id = ''`.execute(db);
  return removals.length === 0;
}
