import type { Generated } from 'kysely';

/** What is known of those who sign in, and their sign-ins in browsers. */
export interface SignInTables {
  subjects: {
    tenant: string;
    subject: string;
    kind: string;
    roles: string[];
    issued_at: Date;
    expires_at: Date;
    seen_at: Generated<Date>;
    issuer: string | null;
    email: string | null;
    email_at: Date | null;
  };
  browser_sessions: {
    id_hash: Buffer;
    issuer: string;
    sub: string;
    sid: string | null;
    tokens: Buffer;
    refresh_at: Date;
    refreshing_until: Date | null;
    created_at: Generated<Date>;
    used_at: Generated<Date>;
    ends_at: Date;
    tenant: string | null;
    subject: string | null;
  };
  used_logout_tokens: { issuer: string; jti: string; expires_at: Date };
}
