import { sql } from 'kysely';
import type { SlackFile, SlackFiles, SlackMessageRef } from '../../../contract/ports/index.ts';
import type { Database } from '../../../runtime/database/postgres.ts';

/** The files of messages as rows. The processing of a lane is in order, so earlier messages have theirs. */
export const createSlackFiles = (db: Database): SlackFiles => ({
  find: (message) => find(db, message),

  async store(message, files) {
    const { team, channel, threadTs, ts } = message;
    const rows = files.map(({ name, documentId, problem }, position) => ({
      position,
      name,
      document_id: documentId,
      problem,
    }));
    // A message has as many files for each process: the rows of the first one stay.
    await sql`
      insert into slack_files (team, channel, thread_ts, ts, position, name, document_id, problem)
      select ${team}, ${channel}, ${threadTs}, ${ts}, f.*
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
