import { sql, type Selectable } from 'kysely';
import type { AgentSettingsVersion, OwnAgentSettings } from '../../../contract/agent-settings.ts';
import { AlfredError } from '../../../contract/errors.ts';
import { canonicalJson } from '../../../contract/json.ts';
import type { AgentOfTenant, TenantAgents } from '../../../contract/ports/index.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import type { Tables } from '../../../runtime/database/tables.ts';

type Row = Selectable<Tables['agent_settings']>;

/** @param onChange called when a tenant has another version */
export const createTenantAgents = (db: Database, onChange: (tenant: string) => void): TenantAgents => ({
  async get(of, version) {
    const query = versionsOf(db, of);
    const row = await (
      version === undefined ? query.where('is_newest', '=', true) : query.where('version', '=', version)
    ).executeTakeFirst();
    return row && toVersion(row);
  },

  async list(of, { limit, cursor }) {
    let query = versionsOf(db, of)
      .orderBy('version', 'desc')
      .limit(limit + 1);
    if (cursor !== undefined) query = query.where('version', '<', Number(cursor));
    const rows = await query.execute();
    const versions = rows.slice(0, limit).map(toVersion);
    return { versions, nextCursor: rows.length > limit ? String(versions.at(-1)?.version ?? '') : null };
  },

  async set({ tenant, subject }, agent, change) {
    const set = await db.transaction().execute(async (trx) => {
      // Two changes at once follow each other.
      await sql`select pg_advisory_xact_lock(hashtextextended(${`agent-settings/${tenant}/${agent}`}, 0))`.execute(trx);
      return setSettings(trx, { tenant, agent, subject }, change);
    });
    onChange(tenant);
    return set;
  },

  async listKnownRoles(tenant, roles) {
    const { rows } = await sql<{ role: string }>`
      select r as role from unnest(${[...roles]}::text[]) r
      where exists (select from subjects s where s.tenant = ${tenant} and r = any(s.roles))`.execute(db);
    return rows.map(({ role }) => role);
  },
});

const versionsOf = (db: Database, { tenant, agent }: AgentOfTenant) =>
  db.selectFrom('agent_settings').selectAll().where('tenant', '=', tenant).where('agent', '=', agent);

async function setSettings(
  trx: Database,
  { subject, ...of }: AgentOfTenant & { subject: string },
  { settings, note, restores, basedOn }: Parameters<TenantAgents['set']>[2],
): Promise<AgentSettingsVersion | undefined> {
  const newest = await versionsOf(trx, of).where('is_newest', '=', true).executeTakeFirst();
  // A repeat, whose first answer got lost, was based on the version before.
  if (isSame(newest ? settingsIn(newest) : {}, settings)) return newest && toVersion(newest);
  const version = newest?.version ?? 0;
  if (basedOn !== undefined && basedOn !== version)
    throw new AlfredError(
      'settings_changed',
      `The settings of the agent ${of.agent} are at version ${version}, and you have read ${basedOn}. Read them, and change them again.`,
    );
  await trx
    .updateTable('agent_settings')
    .set({ is_newest: false })
    .where('tenant', '=', of.tenant)
    .where('agent', '=', of.agent)
    .where('is_newest', '=', true)
    .execute();
  const { instructions, ...others } = settings;
  const row = await trx
    .insertInto('agent_settings')
    .values({
      ...of,
      version: version + 1,
      settings: JSON.stringify(others),
      instructions: instructions ?? null,
      note,
      restores: restores ?? null,
      created_by: subject,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  return toVersion(row);
}

const isSame = (a: OwnAgentSettings, b: OwnAgentSettings) => canonicalJson(a) === canonicalJson(b);

const settingsIn = ({ settings, instructions }: Row): OwnAgentSettings => ({
  ...(settings as OwnAgentSettings),
  ...(instructions === null ? {} : { instructions }),
});

const toVersion = (row: Row): AgentSettingsVersion => ({
  agent: row.agent,
  version: row.version,
  settings: settingsIn(row),
  note: row.note,
  restores: row.restores,
  by: row.created_by,
  at: row.created_at.toISOString(),
});
