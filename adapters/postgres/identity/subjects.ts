import { LRUCache } from 'lru-cache';
import { sql } from 'kysely';
import type { Subjects, TokenClaims } from '../../../contract/ports/index.ts';
import { trustedEmail } from '../../../contract/rules/trusted-email.ts';
import type { Database } from '../../../runtime/database/postgres.ts';

/** What has not changed is written again after this time, so that `seen_at` is right to a few minutes. */
const rewriteMs = 300_000;

type Options = {
  /** Addresses of these domains are kept, and no others. */
  emailDomains?: readonly string[];
};

/** People and services as their newest tokens describe them: roles in `subjects`, groups in `group_members`. */
export function createSubjects(db: Database, { emailDomains = [] }: Options = {}): Subjects {
  /** What this process wrote last, by subject. */
  const written = new LRUCache<string, { rights: string; issuedAt: number }>({ max: 10_000, ttl: rewriteMs });
  return {
    async record(claims) {
      const { tenant, subject, kind, roles, groups } = claims.principal;
      const key = JSON.stringify([tenant, subject]);
      const email = keptEmail(claims, emailDomains);
      const rights = JSON.stringify([
        kind,
        roles.toSorted(),
        claims.namesGroups ? groups.toSorted() : null,
        email === undefined ? 'as before' : [email],
      ]);
      const issuedAt = claims.issuedAt.getTime();
      const last = written.get(key);
      // A person who uses two programs has two tokens, and the older one is no news.
      if (last && (issuedAt < last.issuedAt || (issuedAt === last.issuedAt && rights === last.rights))) return;
      await db.transaction().execute((trx) => write(trx, { ...claims, email }));
      if ((written.get(key)?.issuedAt ?? issuedAt) <= issuedAt) written.set(key, { rights, issuedAt });
    },
  };
}

/** @returns undefined: what is known stays; null: none is kept */
function keptEmail({ principal, email }: TokenClaims, domains: readonly string[]): string | null | undefined {
  // A program may have an address of its own, but no Slack user is one.
  if (domains.length === 0 || principal.kind !== 'person') return null;
  return email === undefined ? undefined : (trustedEmail(email, domains) ?? null);
}

async function write(
  trx: Database,
  { principal, issuer, issuedAt, expiresAt, namesGroups, email }: TokenClaims,
): Promise<void> {
  const { tenant, subject, kind, roles, groups } = principal;
  // A token that was issued before the newest one may still be used; its groups may be gone.
  const { rows } = await sql`
    insert into subjects as s (tenant, subject, kind, roles, issuer, issued_at, expires_at, email, email_at)
    values (${tenant}, ${subject}, ${kind}, ${[...roles]}::text[], ${issuer}, ${issuedAt}, ${expiresAt},
      ${email ?? null}, ${email ? issuedAt : null})
    on conflict (tenant, subject) do update set
      kind = excluded.kind, roles = excluded.roles, issuer = excluded.issuer, issued_at = excluded.issued_at,
      expires_at = excluded.expires_at, seen_at = now(),
      email = case when ${email === undefined}::boolean then s.email else excluded.email end,
      email_at = case when ${email === undefined}::boolean then s.email_at else excluded.email_at end
    where s.issued_at <= excluded.issued_at
    returning 1`.execute(trx);
  if (rows.length === 0 || !namesGroups) return;
  await sql`
    with gone as (
      delete from group_members where tenant = ${tenant} and subject = ${subject} and group_name <> all(${[...groups]}::text[])
    )
    insert into group_members (tenant, group_name, subject)
    select ${tenant}, g, ${subject} from unnest(${[...groups]}::text[]) g
    on conflict do nothing`.execute(trx);
}
