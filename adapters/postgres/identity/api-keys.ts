import { sql, type Selectable } from 'kysely';
import type { ApiKey } from '../../../contract/api-keys.ts';
import { AlfredError } from '../../../contract/errors.ts';
import type { ApiKeys, KnownApiKey } from '../../../contract/ports/index.ts';
import type { Reach, Scope } from '../../../contract/references.ts';
import { mostActiveKeys } from '../../../contract/rules/key-rights.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import type { Tables } from '../../../runtime/database/tables.ts';
import { rolesOfKey, subjectOfKey } from './current-rights.ts';

type Row = Selectable<Tables['api_keys']>;

/** Of SHA-256. The secrets of before a key's last rotations stand in one column, the newest first. */
const hashBytes = 32;
const oldSecretsKept = 8;

/** Keys of services. */
export const createApiKeys = (db: Database): ApiKeys => ({
  async create({ tenant, subject }, { name, roles, scopes, expiresInDays }, { id, hash }) {
    const row = await db.transaction().execute(async (trx) => {
      // Two requests at once count one after the other.
      await sql`select pg_advisory_xact_lock(hashtextextended(${`api-keys/${tenant}/${subject}`}, 0))`.execute(trx);
      await refuseTooMany(trx, { tenant, subject });
      return trx
        .insertInto('api_keys')
        .values({
          id,
          tenant,
          created_by: subject,
          name,
          roles: [...new Set(roles)],
          scopes: [...new Set(scopes)],
          secret_hash: hash,
          expires_at: expiresInDays === undefined ? null : sql<Date>`now() + make_interval(days => ${expiresInDays})`,
        })
        .returningAll()
        .executeTakeFirstOrThrow();
    });
    return toApiKey(row);
  },

  async get(reach, id) {
    const row = await managedKeys(db, reach).where('id', '=', id).executeTakeFirst();
    return row && toApiKey(row);
  },

  async list(reach, { limit, cursor }) {
    let query = managedKeys(db, reach)
      .orderBy('created_at', 'desc')
      .orderBy('id', 'desc')
      .limit(limit + 1);
    if (cursor !== undefined) {
      const after = await managedKeys(db, reach).where('id', '=', cursor).executeTakeFirst();
      if (!after) throw new AlfredError('invalid_request', 'cursor is not one that a page before returned.');
      query = query.where(sql<boolean>`(created_at, id) < (select created_at, id from api_keys where id = ${cursor})`);
    }
    const rows = await query.execute();
    const page = rows.slice(0, limit).map(toApiKey);
    return { keys: page, nextCursor: rows.length > limit ? (page.at(-1)?.id ?? null) : null };
  },

  async rotate(reach, id, hash, overlapS) {
    const row = await updateKey(db, reach, id)
      .set({
        // Of the row as it was: the secret that is replaced now, and those before it that still count. If the answer to
        // a rotation is lost and it is repeated, services know the secret before both. An overlap of 0 ends all.
        old_secret_hash: sql`case when old_until > now() and ${overlapS}::int > 0
          then substr(secret_hash || old_secret_hash, 1, ${oldSecretsKept * hashBytes}::int) else secret_hash end`,
        old_until: sql<Date>`now() + make_interval(secs => ${overlapS})`,
        secret_hash: hash,
        rotated_at: sql<Date>`now()`,
        rotated_by: sql<string[]>`case when ${reach.subject} = any(rotated_by) then rotated_by
          else array_append(rotated_by, ${reach.subject}) end`,
      })
      .where('revoked_at', 'is', null)
      .where(sql<boolean>`(expires_at is null or expires_at > now())`)
      .returningAll()
      .executeTakeFirst();
    return row && toApiKey(row);
  },

  async revoke(reach, id) {
    const row = await updateKey(db, reach, id)
      .set({ revoked_at: sql<Date>`coalesce(revoked_at, now())` })
      .returningAll()
      .executeTakeFirst();
    return row && toApiKey(row);
  },

  find: (id) => findKey(db, id),

  async recordUse(id) {
    await sql`
      update api_keys set last_used_at = now()
      where id = ${id} and (last_used_at is null or last_used_at < now() - interval '1 minute')`.execute(db);
  },
});

/** @throws AlfredError `keys_forbidden` when a creator has the most active keys already */
async function refuseTooMany(db: Database, { tenant, subject }: Scope): Promise<void> {
  const { count } = await db
    .selectFrom('api_keys')
    .select((eb) => eb.fn.countAll<string>().as('count'))
    .where('tenant', '=', tenant)
    .where('created_by', '=', subject)
    .where('revoked_at', 'is', null)
    .where(sql<boolean>`(expires_at is null or expires_at > now())`)
    .executeTakeFirstOrThrow();
  if (Number(count) < mostActiveKeys) return;
  throw new AlfredError(
    'keys_forbidden',
    `You have ${count} active keys, and may have ${mostActiveKeys}. Remove one that is not used.`,
  );
}

/** The keys within reach. */
function managedKeys(db: Database, { tenant, subject, of }: Reach) {
  const ofTenant = db.selectFrom('api_keys').selectAll().where('tenant', '=', tenant);
  return of === 'tenant' ? ofTenant : ofTenant.where('created_by', '=', subject);
}

function updateKey(db: Database, { tenant, subject, of }: Reach, id: string) {
  const ofTenant = db.updateTable('api_keys').where('tenant', '=', tenant).where('id', '=', id);
  return of === 'tenant' ? ofTenant : ofTenant.where('created_by', '=', subject);
}

async function findKey(db: Database, id: string): Promise<KnownApiKey | undefined> {
  const { rows } = await sql<Row & { allowed: string[]; is_overlapping: boolean; has_signed_in_creator: boolean }>`
    select k.tenant, k.scopes, k.secret_hash, k.old_secret_hash, k.expires_at, k.revoked_at,
      coalesce(k.old_until > now(), false) as is_overlapping, ${rolesOfKey} as allowed,
      s.subject is not null as has_signed_in_creator
    from api_keys k left join subjects s on s.tenant = k.tenant and s.subject = k.created_by
    where k.id = ${id}`.execute(db);
  const [row] = rows;
  if (!row) return undefined;
  const old = hashesOf(row.old_secret_hash);
  return {
    principal: {
      tenant: row.tenant,
      subject: subjectOfKey(id),
      kind: 'service',
      roles: row.allowed,
      groups: [],
      scopes: row.scopes,
      via: 'api_key',
    },
    secretHashes: row.is_overlapping ? [row.secret_hash, ...old] : [row.secret_hash],
    replacedHashes: row.is_overlapping ? [] : old,
    expiresAt: row.expires_at ?? undefined,
    isRevoked: row.revoked_at !== null,
    hasSignedInCreator: row.has_signed_in_creator,
  };
}

const hashesOf = (hashes: Buffer | null): Buffer[] =>
  Array.from({ length: (hashes?.length ?? 0) / hashBytes }, (_, i) =>
    (hashes as Buffer).subarray(i * hashBytes, (i + 1) * hashBytes),
  );

function toApiKey(row: Row): ApiKey {
  const isExpired = row.expires_at !== null && row.expires_at.getTime() <= Date.now();
  const text = (date: Date | null) => date?.toISOString() ?? null;
  return {
    id: row.id,
    name: row.name,
    subject: subjectOfKey(row.id),
    createdBy: row.created_by,
    roles: row.roles,
    scopes: row.scopes,
    state: row.revoked_at !== null ? 'revoked' : isExpired ? 'expired' : 'active',
    createdAt: row.created_at.toISOString(),
    expiresAt: text(row.expires_at),
    rotatedAt: text(row.rotated_at),
    oldKeyUntil: text(row.old_until),
    lastUsedAt: text(row.last_used_at),
    revokedAt: text(row.revoked_at),
  };
}
