import type { Generated } from 'kysely';

/** Sign-ins in browsers. */
export interface SessionTables {
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
  };
  used_logout_tokens: { issuer: string; jti: string; expires_at: Date };
}
