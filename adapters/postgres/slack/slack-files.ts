import { sql } from 'kysely';
import type { SlackFile, SlackFiles, SlackMessageRef } from '../../../contract/ports/index.ts';
import type { Database } from '../../../runtime/database/postgres.ts';

const removedAtOnce = 5_000;

/** The files of messages as rows. The processing of a lane is in order, so earlier messages have theirs. */
export const createSlackFiles = (db: Database): SlackFiles => ({
  find: (message) => find(db, message),

  async store(message, { tenant, subject }, files) {
    const { team, channel, threadTs, ts } = message;
    const rows = files.map(({ name, documentId, problem }, position) => ({
      position,
      name,
      document_id: documentId,
      problem,
    }));
    // A message has as many files for each process: the rows of the first one stay.
    await sql`
      insert into slack_files (team, channel, thread_ts, ts, tenant, subject, position, name, document_id, problem)
      select ${team}, ${channel}, ${threadTs}, ${ts}, ${tenant}, ${subject}, f.*
      from json_to_recordset(${JSON.stringify(rows)})
        as f (position integer, name text, document_id uuid, problem text)
      on conflict do nothing`.execute(db);
    return (await find(db, message)) ?? files;
  },

  async take({ team, channel, threadTs, ts }) {
    const { rows } = await sql<Row>`
      with taken as (
        update slack_files set question_ts = ${ts}
        where team = ${team} and channel = ${channel} and thread_ts = ${threadTs}
          and (question_ts is null or question_ts = ${ts})
        returning ts, position, name, document_id, problem
      )
      select * from taken order by ts, position`.execute(db);
    return rows.map(fileOf);
  },

  async listOwn({ team, channel, ts }) {
    const { rows } = await sql<{ tenant: string; subject: string; documentId: string }>`
      select distinct tenant, subject, document_id as "documentId" from slack_files f
      where team = ${team} and channel = ${channel} and ts = ${ts} and document_id is not null
        and not exists (
          select from slack_files o
          where o.document_id = f.document_id and (o.team, o.channel, o.ts) <> (f.team, f.channel, f.ts))`.execute(db);
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
          and not exists (select from documents d where d.id = f.document_id)
        limit ${removedAtOnce} for update skip locked)`.execute(db);
    return Number(numAffectedRows ?? 0);
  },
});

type Row = { name: string; document_id: string | null; problem: string | null };

const fileOf = ({ name, document_id, problem }: Row): SlackFile => ({ name, documentId: document_id, problem });

async function find(db: Database, { team, channel, ts }: SlackMessageRef): Promise<SlackFile[] | undefined> {
  const rows = await db
    .selectFrom('slack_files')
    .select(['name', 'document_id', 'problem'])
    .where('team', '=', team)
    .where('channel', '=', channel)
    .where('ts', '=', ts)
    .orderBy('position')
    .execute();
  return rows.length === 0 ? undefined : rows.map(fileOf);
}
