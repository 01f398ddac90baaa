import { sql, type Selectable } from 'kysely';
import type { SlackPlace, SlackThread, SlackThreads } from '../../../contract/ports/index.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import type { Tables } from '../../../runtime/database/tables.ts';

const removedAtOnce = 5_000;

type Row = Selectable<Tables['slack_threads']>;

/** Threads whose conversation is there. One whose conversation was deleted begins another with its next message. */
export const createSlackThreads = (db: Database): SlackThreads => ({
  find: (place) => find(db, place),

  async insert(thread) {
    await sql`
      insert into slack_threads as t (team, channel, thread_ts, tenant, subject, conversation_id, agent, askers,
        begun_ts)
      values (${thread.team}, ${thread.channel}, ${thread.threadTs}, ${thread.tenant}, ${thread.subject},
        ${thread.conversationId}, ${thread.agent}, ${thread.askers}, ${thread.begunTs})
      on conflict (team, channel, thread_ts) do update set tenant = excluded.tenant, subject = excluded.subject,
        conversation_id = excluded.conversation_id, agent = excluded.agent, askers = excluded.askers,
        begun_ts = excluded.begun_ts
      where not ${hasConversation}`.execute(db);
    const stored = await find(db, thread);
    if (!stored) throw new Error('the conversation of a thread is gone');
    return stored;
  },

  async addAsker({ team, channel, threadTs }, asker) {
    await sql`
      update slack_threads set askers = array_append(askers, ${asker})
      where team = ${team} and channel = ${channel} and thread_ts = ${threadTs}
        and ${asker} <> all(askers)`.execute(db);
  },

  async removeOld() {
    const { numAffectedRows } = await sql`
      delete from slack_threads where (team, channel, thread_ts) in (
        select team, channel, thread_ts from slack_threads t where not ${hasConversation}
        limit ${removedAtOnce} for update skip locked)`.execute(db);
    return Number(numAffectedRows ?? 0);
  },
});

const hasConversation = sql<boolean>`exists (
  select from conversations c where c.id = t.conversation_id and c.deleted_at is null)`;

async function find(db: Database, { team, channel, threadTs }: SlackPlace): Promise<SlackThread | undefined> {
  const { rows } = await sql<Row & { agent_now: string }>`
    select t.*, (select c.agent from conversations c where c.id = t.conversation_id) as agent_now from slack_threads t
    where team = ${team} and channel = ${channel} and thread_ts = ${threadTs} and ${hasConversation}`.execute(db);
  const [row] = rows;
  return (
    row && {
      team: row.team,
      channel: row.channel,
      threadTs: row.thread_ts,
      tenant: row.tenant,
      subject: row.subject,
      conversationId: row.conversation_id,
      // One agent may have handed the conversation over to another.
      agent: row.agent_now,
      askers: row.askers,
      begunTs: row.begun_ts,
    }
  );
}
