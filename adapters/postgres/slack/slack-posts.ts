import { sql, type Selectable } from 'kysely';
import { validate as isUuid } from 'uuid';
import type { SlackPost, SlackPostFile, SlackPostMessage, SlackPosts } from '../../../contract/ports/index.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import type { Tables } from '../../../runtime/database/tables.ts';
import { inMs } from './in-ms.ts';

/** So long people may press what stands under an answer. */
const keptFor = '90 days';
/** After the end of an installation. */
const givenUpAfter = '1 day';
const removedAtOnce = 5_000;

/** What Slack shows of tasks, as rows. */
export const createSlackPosts = (db: Database): SlackPosts => ({
  async create({ id, tenant, subject, taskId, agent, team, channel, threadTs, userId, questionTs }) {
    await db
      .insertInto('slack_posts')
      .values({
        id,
        task_id: taskId,
        tenant,
        subject,
        agent,
        team,
        channel,
        thread_ts: threadTs,
        user_id: userId,
        question_ts: questionTs,
        owner: null,
        leased_until: null,
        finished_at: null,
      })
      .onConflict((conflict) => conflict.column('task_id').doNothing())
      .execute();
  },

  async claim(owner, leaseMs, team) {
    const { rows } = await sql<Row>`
      update slack_posts set owner = ${owner}, leased_until = ${inMs(leaseMs)}, attempts = attempts + 1
      where id = (
        select id from slack_posts where ${claimable(team)}
        order by attempts > 0, due_at limit 1 for update skip locked)
      returning *`.execute(db);
    return rows[0] && toPost(rows[0]);
  },

  async claimable(team) {
    const { rows } = await sql<{ count: number }>`
      select count(*)::int as count from slack_posts where ${claimable(team)}`.execute(db);
    return rows[0]?.count ?? 0;
  },

  async renew(owner, leaseMs) {
    const rows = await db
      .updateTable('slack_posts')
      .set({ leased_until: inMs(leaseMs) })
      .where('owner', '=', owner)
      .returning('id')
      .execute();
    return rows.map(({ id }) => id);
  },

  save: (owner, id, { messages, seq }) =>
    isSaved(owned(db, owner, id).set({ messages: JSON.stringify(messages), seq })),

  saveFiles: (owner, id, files) => isSaved(owned(db, owner, id).set({ files: JSON.stringify(files) })),

  async finish(owner, id) {
    await owned(db, owner, id)
      .set({ finished_at: sql`now()`, owner: null, leased_until: null })
      .execute();
  },

  async showAgain(taskId) {
    await db
      .updateTable('slack_posts')
      .set({ finished_at: null, due_at: sql`now()` })
      .where('task_id', '=', taskId)
      .where('finished_at', 'is not', null)
      .execute();
  },

  async retry(owner, id, afterMs) {
    await owned(db, owner, id)
      .set({ due_at: inMs(afterMs), owner: null, leased_until: null })
      .execute();
  },

  async ownedTs({ team, channel, threadTs }) {
    const { rows } = await sql<{ ts: string }>`
      select m ->> 'ts' as ts from slack_posts, jsonb_array_elements(messages) m
      where team = ${team} and channel = ${channel} and thread_ts = ${threadTs} and m ->> 'ts' is not null`.execute(db);
    return rows.map(({ ts }) => ts);
  },

  async findByTask(taskId) {
    if (!isUuid(taskId)) return undefined;
    const row = await db.selectFrom('slack_posts').selectAll().where('task_id', '=', taskId).executeTakeFirst();
    return row && toPost(row);
  },

  depth: () => countOpen(db),

  removeOld: () => removeOld(db),
});

async function countOpen(db: Database): Promise<number> {
  const { count } = await db
    .selectFrom('slack_posts')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('finished_at', 'is', null)
    .executeTakeFirstOrThrow();
  return Number(count);
}

/** Also answers that a workspace did not show within a day after Alfred was removed from it. */
async function removeOld(db: Database): Promise<number> {
  await sql`
    update slack_posts p set finished_at = now(), owner = null, leased_until = null
    from slack_installations i
    where i.team = p.team and i.state = 'ended' and i.ended_at < now() - ${givenUpAfter}::interval
      and p.created_at <= i.ended_at and p.finished_at is null`.execute(db);
  const { numAffectedRows } = await sql`
    delete from slack_posts where id in (
      select id from slack_posts where finished_at < now() - ${keptFor}::interval
      limit ${removedAtOnce} for update skip locked)`.execute(db);
  return Number(numAffectedRows ?? 0);
}

type Row = Selectable<Tables['slack_posts']>;

const claimable = (team: string) => sql<boolean>`finished_at is null and team = ${team} and due_at <= now()
  and (owner is null or leased_until <= now())`;

/** Changes nothing when another owner has the post. */
const owned = (db: Database, owner: string, id: string) =>
  db.updateTable('slack_posts').where('id', '=', id).where('owner', '=', owner);

const isSaved = async (update: ReturnType<typeof owned>): Promise<boolean> =>
  (await update.executeTakeFirst()).numUpdatedRows === 1n;

const toPost = (row: Row): SlackPost => ({
  id: row.id,
  tenant: row.tenant,
  subject: row.subject,
  taskId: row.task_id,
  agent: row.agent,
  team: row.team,
  channel: row.channel,
  threadTs: row.thread_ts,
  userId: row.user_id,
  questionTs: row.question_ts,
  messages: row.messages as SlackPostMessage[],
  seq: row.seq,
  attempts: row.attempts,
  files: row.files as SlackPostFile[],
});
