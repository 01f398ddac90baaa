import { sql, type Selectable } from 'kysely';
import type { BrowserSession, BrowserSessions, EndedSession } from '../../../contract/ports/index.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import type { Tables } from '../../../runtime/database/tables.ts';

/** A session that is not used for so long has ended. */
const idleMinutes = 60;
/** A process that ends while it refreshes keeps others from it for so long. */
const refreshSeconds = 30;
/** The clocks of the provider and of the database may be apart. */
const clockSeconds = 30;

const isAlive = sql<boolean>`(ends_at > now() and used_at > now() - make_interval(mins => ${idleMinutes}))`;

const isOver = sql<boolean>`expires_at < now() - make_interval(secs => ${clockSeconds})`;

/** Sign-ins in browsers. */
export const createBrowserSessions = (db: Database): BrowserSessions => ({
  async add(idHash, { issuer, sub, sid, tokens, refreshAt, endsAt, tenant, subject }) {
    // What has ended goes with the next sign-in: it is never more than one hour's sign-ins and those under way.
    await db
      .deleteFrom('browser_sessions')
      .where((eb) => eb.not(isAlive))
      .execute();
    await db
      .insertInto('browser_sessions')
      .values({
        id_hash: idHash,
        issuer,
        sub,
        sid: sid ?? null,
        tokens,
        tenant,
        subject,
        refresh_at: refreshAt,
        ends_at: endsAt,
      })
      .execute();
  },

  async find(idHash, { isUse } = { isUse: false }) {
    const row = await db
      .selectFrom('browser_sessions')
      .selectAll()
      .select(sql<boolean>`used_at < now() - interval '1 minute'`.as('is_stale'))
      .where('id_hash', '=', idHash)
      .where(isAlive)
      .executeTakeFirst();
    if (isUse && row?.is_stale)
      await db
        .updateTable('browser_sessions')
        .set({ used_at: sql`now()` })
        .where('id_hash', '=', idHash)
        .execute();
    return row && toSession(row);
  },

  async claimRefresh(idHash) {
    const { numUpdatedRows } = await db
      .updateTable('browser_sessions')
      .set({ refreshing_until: sql`now() + make_interval(secs => ${refreshSeconds})` })
      .where('id_hash', '=', idHash)
      .where(sql<boolean>`refreshing_until is null or refreshing_until < now()`)
      .executeTakeFirstOrThrow();
    return numUpdatedRows > 0n;
  },

  async endRefresh(idHash, fresh) {
    await db
      .updateTable('browser_sessions')
      .set({ refreshing_until: null, ...(fresh && { tokens: fresh.tokens, refresh_at: fresh.refreshAt }) })
      .where('id_hash', '=', idHash)
      .execute();
  },

  async remove(idHash) {
    const ended = await db
      .deleteFrom('browser_sessions')
      .where('id_hash', '=', idHash)
      .returning([...endedColumns, isAlive.as('is_alive')])
      .executeTakeFirst();
    return ended?.is_alive ? toEnded(ended) : undefined;
  },

  async removeEnded(limit) {
    const sessions = await sql`
      delete from browser_sessions where id_hash in (
        select id_hash from browser_sessions where not ${isAlive} limit ${limit} for update skip locked)`.execute(db);
    const logoutTokens = await sql`
      delete from used_logout_tokens where (issuer, jti) in (
        select issuer, jti from used_logout_tokens where ${isOver} limit ${limit} for update skip locked)`.execute(db);
    return Math.max(Number(sessions.numAffectedRows ?? 0), Number(logoutTokens.numAffectedRows ?? 0));
  },

  endBy: ({ issuer, jti, issuedAt, expiresAt }, { sid, sub }) =>
    db.transaction().execute(async (trx) => {
      await trx.deleteFrom('used_logout_tokens').where(isOver).execute();
      const used = await trx
        .insertInto('used_logout_tokens')
        .values({ issuer, jti, expires_at: expiresAt })
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirst();
      if (used.numInsertedOrUpdatedRows === 0n) return undefined;
      let query = trx.deleteFrom('browser_sessions').where('issuer', '=', issuer);
      if (sub !== undefined) query = query.where('sub', '=', sub);
      if (sid !== undefined) query = query.where('sid', '=', sid);
      else
        query = query.where(
          'created_at',
          '<=',
          sql<Date>`${issuedAt}::timestamptz + make_interval(secs => ${clockSeconds})`,
        );
      const ended = await query.returning([...endedColumns, isAlive.as('is_alive')]).execute();
      return ended.filter((session) => session.is_alive).map(toEnded);
    }),
});

const endedColumns = ['id_hash', 'sub', 'tenant', 'subject'] as const;
type Ended = Pick<Selectable<Tables['browser_sessions']>, (typeof endedColumns)[number]>;

const toEnded = ({ id_hash: idHash, sub, tenant, subject }: Ended): EndedSession => ({
  name: idHash.toString('hex').slice(0, 16),
  // Of a session from before these columns.
  tenant: tenant ?? '',
  subject: subject ?? sub,
});

const toSession = ({
  issuer,
  sub,
  sid,
  tokens,
  refresh_at: refreshAt,
  created_at: createdAt,
  ends_at: endsAt,
}: Selectable<Tables['browser_sessions']>): BrowserSession => ({
  issuer,
  sub,
  sid: sid ?? undefined,
  tokens,
  refreshAt,
  createdAt,
  endsAt,
});
