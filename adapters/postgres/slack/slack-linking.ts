import { sql } from 'kysely';
import type { SlackLinking, SlackLinkRequest } from '../../../contract/ports/index.ts';
import type { Scope } from '../../../contract/references.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import { leaveLinkEntry } from './leave-link-entry.ts';
import { lockSlackUser } from './lock-slack-user.ts';

/** With eight digits, a stranger who guesses as often finds them once in twenty million times. */
const mostWrong = 5;

/** Requests to link Slack users with subjects, and the links that come of them. */
export const createSlackLinking = (db: Database): SlackLinking => ({
  async begin({ team, userId, tenant, userName, workspace }, codeHash, lastsMs) {
    await sql`
      insert into slack_link_codes (team, user_id, tenant, user_name, workspace, code_hash, expires_at)
      values (${team}, ${userId}, ${tenant}, ${userName}, ${workspace}, ${codeHash},
        now() + ${lastsMs} * interval '1 millisecond')
      on conflict (team, user_id) do update set tenant = excluded.tenant, user_name = excluded.user_name,
        workspace = excluded.workspace, code_hash = excluded.code_hash, expires_at = excluded.expires_at,
        subject = null, digits_hash = null, wrong = 0`.execute(db);
  },

  async find(codeHash) {
    const { rows } = await sql<SlackLinkRequest>`
      select team, user_id as "userId", tenant, user_name as "userName", workspace
      from slack_link_codes where code_hash = ${codeHash} and expires_at > now()`.execute(db);
    return rows[0];
  },

  async confirm(codeHash, { tenant, subject }, digitsHash) {
    const { numAffectedRows } = await sql`
      update slack_link_codes set code_hash = null, subject = ${subject}, digits_hash = ${digitsHash}
      where code_hash = ${codeHash} and tenant = ${tenant} and expires_at > now()`.execute(db);
    return numAffectedRows === 1n;
  },

  finish: (team, userId, digitsHash) =>
    db.transaction().execute(async (trx) => {
      const { rows } = await sql<Scope>`
        delete from slack_link_codes
        where team = ${team} and user_id = ${userId} and digits_hash = ${digitsHash} and expires_at > now()
        returning tenant, subject`.execute(trx);
      const [linked] = rows;
      if (linked) {
        await sql`
          insert into slack_links (team, user_id, tenant, subject)
          values (${team}, ${userId}, ${linked.tenant}, ${linked.subject})
          on conflict (team, user_id) do update set tenant = excluded.tenant, subject = excluded.subject,
            made_by = 'sign_in', linked_at = now()`.execute(trx);
        await sql`delete from slack_unlinked where team = ${team} and user_id = ${userId}`.execute(trx);
        await leaveLinkEntry(trx, 'slack.link', { team, userId, linked });
        return { linked };
      }
      const counted = await sql<{ wrong: number }>`
        update slack_link_codes set wrong = wrong + 1
        where team = ${team} and user_id = ${userId} and digits_hash is not null and expires_at > now()
        returning wrong`.execute(trx);
      const [attempt] = counted.rows;
      if (!attempt) return 'none';
      if (attempt.wrong >= mostWrong)
        await sql`delete from slack_link_codes where team = ${team} and user_id = ${userId}`.execute(trx);
      return 'wrong';
    }),

  unlink: (team, userId) =>
    db.transaction().execute(async (trx) => {
      await lockSlackUser(trx, { team, userId });
      await sql`insert into slack_unlinked (team, user_id) values (${team}, ${userId}) on conflict do nothing`.execute(
        trx,
      );
      const { rows } = await sql<Scope>`
        delete from slack_links where team = ${team} and user_id = ${userId} returning tenant, subject`.execute(trx);
      const [linked] = rows;
      if (linked) await leaveLinkEntry(trx, 'slack.unlink', { team, userId, linked });
      return linked;
    }),

  async removeOld() {
    const { numAffectedRows } = await sql`delete from slack_link_codes where expires_at <= now()`.execute(db);
    return Number(numAffectedRows ?? 0);
  },
});
