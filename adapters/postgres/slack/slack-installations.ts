import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import type {
  AllowedSlackInstallation,
  NewSlackInstallation,
  SlackInstallation,
  SlackInstallations,
} from '../../../contract/ports/index.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import { createSeal, type Seal } from '../../identity/seal.ts';

/** Longer than answers are tried to be shown. */
const endedKeptFor = '40 days';
/** Of one that was never let in, and has ended. */
const refusedKeptFor = '1 day';
/** What an operator has to let one in. */
const pendingKeptFor = '14 days';
/** Anyone can install Alfred: so many that no operator has let in are kept. */
const mostNotLetIn = 200;

const columns = sql.raw(`team, name, state, tenant, bot_id as "botId", bot_user_id as "botUserId",
  installed_by as "installedBy", installed_at as "installedAt", allowed_at as "allowedAt", ended_at as "endedAt"`);

/**
 * The workspaces that have installed Alfred.
 *
 * @param readKeys called when a token or a state is first encrypted or opened; the first key encrypts, all open
 */
export function createSlackInstallations(db: Database, readKeys: () => readonly string[]): SlackInstallations {
  const tokens = createSeal(readKeys, 'slack installations');
  const states = createSeal(readKeys, 'slack install states');
  const currentKeyId = () => tokens.keyIds()[0] ?? '';
  return {
    keyIds: () => tokens.keyIds(),

    renewEncryption: () => renewEncryption(db, tokens, currentKeyId()),

    issueState: (lastsMs) => states.seal(String(Date.now() + lastsMs)).toString('base64url'),

    async useState(state) {
      const sealed = Buffer.from(state, 'base64url');
      const expiresAt = Number(states.open(sealed) ?? 0);
      if (expiresAt <= Date.now()) return false;
      await removeOldStates(db);
      const { numAffectedRows } = await sql`
        insert into slack_install_states (hash, expires_at)
        values (${createHash('sha256').update(sealed).digest()}, ${new Date(expiresAt)})
        on conflict do nothing`.execute(db);
      return numAffectedRows === 1n;
    },

    store: (installation) => store(db, installation, tokens, currentKeyId()),

    async find(team) {
      const { rows } = await sql<SlackInstallation & { sealed: Buffer | null }>`
        select ${columns}, token as sealed from slack_installations where team = ${team}`.execute(db);
      const [row] = rows;
      if (!row) return undefined;
      const { sealed, ...installation } = row;
      return { ...installation, token: sealed === null ? undefined : tokens.open(sealed, team) };
    },

    async list() {
      const { rows } = await sql<SlackInstallation>`
        select ${columns} from slack_installations order by name, team`.execute(db);
      return rows;
    },

    allow: (team, tenant) => allow(db, team, tenant),

    end: (team, installedUntil) => end(db, team, installedUntil),

    async removeOld() {
      await removeOldStates(db);
      const { numAffectedRows } = await sql`
        delete from slack_installations
        where ended_at < now() - ${endedKeptFor}::interval
          or (ended_at < now() - ${refusedKeptFor}::interval and allowed_at is null)
          or (state = 'pending' and installed_at < now() - ${pendingKeptFor}::interval)`.execute(db);
      return Number(numAffectedRows ?? 0);
    },
  };
}

const removeOldStates = (db: Database) => sql`delete from slack_install_states where expires_at <= now()`.execute(db);

async function renewEncryption(db: Database, tokens: Seal, keyId: string) {
  const { rows } = await sql<{ team: string; sealed: Buffer; keyId: string }>`
    select team, token as sealed, key_id as "keyId" from slack_installations
    where token is not null order by team`.execute(db);
  const closed: { team: string; keyId: string }[] = [];
  for (const { team, sealed, keyId: sealedWith } of rows) {
    const token = tokens.open(sealed, team);
    if (token === undefined) closed.push({ team, keyId: sealedWith });
    else if (sealedWith !== keyId)
      // Another one that was stored meanwhile stays.
      await sql`
        update slack_installations set token = ${tokens.seal(token, team)}, key_id = ${keyId}
        where team = ${team} and token = ${sealed}`.execute(db);
  }
  return closed;
}

const store = (
  db: Database,
  { team, name, botId, botUserId, installedBy, token }: NewSlackInstallation,
  tokens: Seal,
  keyId: string,
) =>
  db.transaction().execute(async (trx) => {
    const { rows } = await sql<Pick<SlackInstallation, 'state' | 'tenant'>>`
      insert into slack_installations as i (team, name, state, bot_id, bot_user_id, installed_by, token, key_id)
      select ${team}, ${name}, 'pending', ${botId}, ${botUserId}, ${installedBy}, ${tokens.seal(token, team)}::bytea, ${keyId}
      where exists (select from slack_installations where team = ${team})
        or (select count(*) from slack_installations where allowed_at is null) < ${mostNotLetIn}
      on conflict (team) do update set name = excluded.name, bot_id = excluded.bot_id,
        bot_user_id = excluded.bot_user_id, installed_by = excluded.installed_by, token = excluded.token,
        key_id = excluded.key_id, installed_at = now(), ended_at = null,
        state = case when i.state = 'ended' then 'pending' else i.state end,
        tenant = case when i.state = 'ended' then null else i.tenant end,
        allowed_at = case when i.state = 'ended' then null else i.allowed_at end
      returning state, tenant`.execute(trx);
    const [stored] = rows;
    if (stored?.state === 'allowed')
      await leaveEntry(trx, 'slack.workspace.install', { ...stored, team, subject: `slack:${team}:${installedBy}` });
    return stored?.state;
  });

const end = (db: Database, team: string, installedUntil: Date | undefined) =>
  db.transaction().execute(async (trx) => {
    // Slack names times to the second.
    const isMeant =
      installedUntil === undefined ? sql`true` : sql`date_trunc('second', installed_at) <= ${installedUntil}`;
    const { rows } = await sql<SlackInstallation>`
      update slack_installations set state = 'ended', token = null, key_id = null, ended_at = now()
      where team = ${team} and state <> 'ended' and ${isMeant} returning ${columns}`.execute(trx);
    const [ended] = rows;
    // What an operator ends has the entry of its command.
    if (ended && installedUntil)
      await leaveEntry(trx, 'slack.workspace.remove', { ...ended, subject: `slack:${team}` });
    return ended;
  });

/** With what it is about, in one transaction. One that was never let in is of no tenant, and in no log. */
async function leaveEntry(
  trx: Database,
  action: 'slack.workspace.install' | 'slack.workspace.remove',
  { tenant, team, subject }: { tenant: string | null; team: string; subject: string },
): Promise<void> {
  if (tenant === null) return;
  await trx
    .insertInto('audit_pending')
    .values({
      tenant,
      subject,
      via: 'slack',
      action,
      resource_type: 'slack_workspace',
      resource_id: team,
      outcome: 'ok',
    })
    .execute();
}

const allow = (db: Database, team: string, tenant: string) =>
  db.transaction().execute(async (trx) => {
    const before = await trx
      .selectFrom('slack_installations')
      .select('tenant')
      .where('team', '=', team)
      .forUpdate()
      .executeTakeFirst();
    const { rows } = await sql<SlackInstallation>`
      update slack_installations set state = 'allowed', tenant = ${tenant}, allowed_at = now()
      where team = ${team} and state <> 'ended' returning ${columns}`.execute(trx);
    const [installation] = rows;
    if (!installation) return undefined;
    // First: a request that becomes a link meanwhile is a link for the next statement.
    await sql`delete from slack_link_codes where team = ${team} and tenant <> ${tenant}`.execute(trx);
    const { rows: endedLinks } = await sql<AllowedSlackInstallation['endedLinks'][number]>`
      delete from slack_links where team = ${team} and tenant <> ${tenant}
      returning tenant, subject, user_id as "userId"`.execute(trx);
    // Its files stay known, so that they can be erased, and go with no question of the other tenant.
    await sql`
      update slack_files set question_ts = ''
      where team = ${team} and tenant <> ${tenant} and question_ts is null`.execute(trx);
    await sql`delete from slack_channels where team = ${team} and tenant <> ${tenant}`.execute(trx);
    await sql`delete from slack_posts where team = ${team} and tenant <> ${tenant}`.execute(trx);
    await sql`delete from slack_threads where team = ${team} and tenant <> ${tenant}`.execute(trx);
    return { ...installation, endedLinks, previousTenant: before?.tenant ?? null };
  });
