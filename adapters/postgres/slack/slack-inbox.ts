import { sql, type Selectable } from 'kysely';
import type { JsonObject } from '../../../contract/json.ts';
import type { ClaimedSlackDelivery, SlackDelivery, SlackInbox } from '../../../contract/ports/index.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import type { Tables } from '../../../runtime/database/tables.ts';
import { storableJson } from '../storable-json.ts';
import { inMs } from './in-ms.ts';

/** Slack repeats a delivery within an hour. */
const keysKeptFor = '1 day';
/** Longer than a process that serves the workspace tries to handle a delivery: it can then say that it gives up. */
const abandonedAfter = '25 hours';
const removedAtOnce = 5_000;

/** Of two processes that claim deliveries of one lane at once, Postgres refuses one. */
const uniqueViolation = '23505';

/** The deliveries of Slack as rows. */
export const createSlackInbox = (db: Database): SlackInbox => ({
  async store({ key, kind, team, lane, body }) {
    const { numInsertedOrUpdatedRows } = await db
      .insertInto('slack_inbox')
      .values({ key, kind, team, lane, body: storableJson(body), owner: null, leased_until: null, completed_at: null })
      .onConflict((conflict) => conflict.doNothing())
      .executeTakeFirst();
    return numInsertedOrUpdatedRows === 1n;
  },

  async claim(owner, leaseMs, { teams, without = [] }) {
    try {
      return await claimFirst(db, { owner, leaseMs, teams, without });
    } catch (error) {
      if ((error as { code?: unknown }).code === uniqueViolation) return undefined;
      throw error;
    }
  },

  async renew(owner, leaseMs, keys) {
    if (keys.length === 0) return;
    await db
      .updateTable('slack_inbox')
      .set({ leased_until: inMs(leaseMs) })
      .where('key', 'in', keys)
      .where('owner', '=', owner)
      .execute();
  },

  async keep(owner, key, what) {
    const { rows } = await sql<{ kept: JsonObject }>`
      update slack_inbox set kept = coalesce(kept, ${storableJson(what)}::jsonb)
      where key = ${key} and owner = ${owner} returning kept`.execute(db);
    return rows[0]?.kept;
  },

  async complete(owner, key) {
    await db
      .updateTable('slack_inbox')
      .set({ completed_at: sql`now()`, body: null, kept: null, owner: null, leased_until: null })
      .where('key', '=', key)
      .where('owner', '=', owner)
      .execute();
  },

  async retry(owner, key, afterMs) {
    await db
      .updateTable('slack_inbox')
      .set({ due_at: inMs(afterMs), owner: null, leased_until: null })
      .where('key', '=', key)
      .where('owner', '=', owner)
      .execute();
  },

  async depth() {
    const { count } = await db
      .selectFrom('slack_inbox')
      .select((eb) => eb.fn.countAll<number>().as('count'))
      .where('completed_at', 'is', null)
      .executeTakeFirstOrThrow();
    return Number(count);
  },

  async removeOld() {
    const { numAffectedRows } = await sql`
      delete from slack_inbox where key in (
        select key from slack_inbox where completed_at < now() - ${keysKeptFor}::interval
        limit ${removedAtOnce} for update skip locked)`.execute(db);
    return Number(numAffectedRows ?? 0);
  },

  async removeAbandoned(teams) {
    const { rows } = await sql<{ team: string; count: number }>`
      with removed as (
        delete from slack_inbox where key in (
          select key from slack_inbox
          where completed_at is null and team <> '' and team <> all(${teams}::text[])
            and received_at < now() - ${abandonedAfter}::interval and (owner is null or leased_until <= now())
          limit ${removedAtOnce} for update skip locked)
        returning team)
      select team, count(*)::int as count from removed group by team order by team`.execute(db);
    return rows;
  },
});

/**
 * The first delivery that is due and first of its lane. In a lane, one that a process has begun with comes before the
 * others, also when an earlier one was committed later: else two of a lane would be under way.
 */
async function claimFirst(
  db: Database,
  { owner, leaseMs, teams, without }: { owner: string; leaseMs: number; teams: string[]; without: string[] },
): Promise<ClaimedSlackDelivery | undefined> {
  const { rows } = await sql<Selectable<Tables['slack_inbox']>>`
    update slack_inbox set owner = ${owner}, leased_until = ${inMs(leaseMs)}, attempts = attempts + 1
    where key = (
      select key from slack_inbox i
      where completed_at is null and due_at <= now() and (owner is null or leased_until <= now())
        and team = any(${[...teams, '']}::text[]) and split_part(lane, ':', 2) <> all(${without}::text[])
        and not exists (
          select from slack_inbox o
          where o.lane = i.lane and o.completed_at is null
            and (o.owner is null, o.position) < (i.owner is null, i.position))
      order by position limit 1 for update skip locked)
    returning key, kind, team, lane, body, kept, attempts, received_at`.execute(db);
  const [row] = rows;
  return (
    row && {
      key: row.key,
      kind: row.kind as SlackDelivery['kind'],
      team: row.team,
      lane: row.lane,
      body: row.body as JsonObject,
      attempts: row.attempts,
      receivedAt: row.received_at,
      kept: row.kept as JsonObject | null,
    }
  );
}
