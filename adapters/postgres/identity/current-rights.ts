import { sql } from 'kysely';
import type { CurrentRights } from '../../../contract/ports/index.ts';
import { agentRole, everyRole } from '../../../contract/roles.ts';
import type { Scope } from '../../../contract/references.ts';
import type { Database } from '../../../runtime/database/postgres.ts';

/** The subject of an API key. Issuers cannot give it to anybody. */
export const subjectOfKey = (id: string): string => `key:${id}`;

/**
 * The roles of the key `k` that its creator `s` still has, as `rolesLeft` says: a role that limits stays, and comes to
 * the key when its creator gets it. A creator that no token is known of, like the user of this machine, lost none.
 */
export const rolesOfKey = sql<string[]>`(
  select coalesce(array_agg(distinct r order by r), '{}')
  from unnest(k.roles || case when ${agentRole} = any(s.roles) then array[${agentRole}] else '{}' end) r
  where s.roles is null or r = any(s.roles) or ${everyRole} = any(s.roles) or r = ${agentRole})`;

/** The rights that a subject has at this moment. */
export const createCurrentRights = (db: Database): CurrentRights => ({
  rolesOf: async (scope) => (scope.subject.startsWith('key:') ? rolesOfKeySubject(db, scope) : rolesOfToken(db, scope)),
});

async function rolesOfToken(db: Database, { tenant, subject }: Scope): Promise<string[] | undefined> {
  const row = await db
    .selectFrom('subjects')
    .select('roles')
    .where('tenant', '=', tenant)
    .where('subject', '=', subject)
    .executeTakeFirst();
  return row?.roles;
}

/** A key that was revoked or has expired has no role. */
async function rolesOfKeySubject(db: Database, { tenant, subject }: Scope): Promise<string[]> {
  const { rows } = await sql<{ roles: string[] }>`
    select ${rolesOfKey} as roles
    from api_keys k left join subjects s on s.tenant = k.tenant and s.subject = k.created_by
    where k.tenant = ${tenant} and k.id = ${subject.slice('key:'.length)}
      and k.revoked_at is null and (k.expires_at is null or k.expires_at > now())`.execute(db);
  return rows[0]?.roles ?? [];
}
