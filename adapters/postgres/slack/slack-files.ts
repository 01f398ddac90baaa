import { sql, type Selectable } from 'kysely';
import type { SlackFile, SlackFiles, SlackMessageRef } from '../../../contract/ports/index.ts';
import { slackCollection } from '../../../contract/rules/attached-files.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import type { Tables } from '../../../runtime/database/tables.ts';

const removedAtOnce = 5_000;

/** The files of messages as rows. The processing of a lane is in order, so earlier messages have theirs. */
export const createSlackFiles = (db: Database): SlackFiles => ({
  find: (message) => find(db, message),

  async store(message, { tenant, subject }, files) {
    const { team, channel, threadTs, ts } = message;
    const rows = files.map(({ name, documentName, documentId, problem }, position) => ({
      position,
      name,
      document_name: documentName,
      document_id: documentId,
      problem,
    }));
    // A message has as many files for each process: the rows of the first one stay.
    await sql`
      insert into slack_files (
        team, channel, thread_ts, ts, tenant, subject, position, name, document_name, document_id, problem)
      select ${team}, ${channel}, ${threadTs}, ${ts}, ${tenant}, ${subject}, f.*
      from json_to_recordset(${JSON.stringify(rows)})
        as f (position integer, name text, document_name text, document_id uuid, problem text)
      on conflict do nothing`.execute(db);
    return (await find(db, message)) ?? files;
  },

  async take({ team, channel, threadTs, ts }) {
    const { rows } = await sql<Row>`
      with taken as (
        update slack_files set question_ts = ${ts}
        where team = ${team} and channel = ${channel} and thread_ts = ${threadTs}
          and (question_ts is null or question_ts = ${ts})
        returning ts, position, name, document_name, document_id, problem
      )
      select * from taken order by ts, position`.execute(db);
    return rows.map(fileOf);
  },

  async listOwn({ team, channel, ts }) {
    const { rows } = await sql<{ tenant: string; subject: string; documentId: string }>`
      select distinct d.tenant, d.subject, d.id as "documentId" from slack_files f join documents d on ${isDocumentOf}
      where f.team = ${team} and f.channel = ${channel} and f.ts = ${ts}
        and not exists (
          select from slack_files o
          where o.document_name = f.document_name and o.tenant = f.tenant and o.subject = f.subject
            and (o.team, o.channel, o.ts) <> (f.team, f.channel, f.ts))`.execute(db);
    return rows;
  },

  async remove({ team, channel, ts }) {
    await db
      .deleteFrom('slack_files')
      .where('team', '=', team)
      .where('channel', '=', channel)
      .where('ts', '=', ts)
      .execute();
  },

  async removeOld() {
    const { numAffectedRows } = await sql`
      delete from slack_files where (team, channel, ts, position) in (
        select team, channel, ts, position from slack_files f
        where not exists (
            select from slack_threads t
            where t.team = f.team and t.channel = f.channel and t.thread_ts = f.thread_ts)
          and not exists (select from documents d where ${isDocumentOf})
        limit ${removedAtOnce} for update skip locked)`.execute(db);
    return Number(numAffectedRows ?? 0);
  },
});

/** A document that was not read in time has come later: it is found by its name. */
const isDocumentOf = sql<boolean>`d.tenant = f.tenant and d.subject = f.subject and d.collection = ${slackCollection}
  and d.name = f.document_name`;

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
    .orderBy('position')
    .execute();
  return rows.length === 0 ? undefined : rows.map(fileOf);
}
