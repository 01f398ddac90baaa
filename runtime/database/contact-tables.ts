import type { Generated, GeneratedAlways } from 'kysely';

/** Contacts and the uploads that bring them. See runtime/database/migrations/0071_contacts.sql. */
export interface ContactTables {
  contacts: {
    id: string;
    tenant: string;
    body: unknown;
    base: unknown;
    apart: Generated<string[]>;
    words: unknown;
    revision: Generated<number>;
    crm_due: Generated<boolean>;
    crm_id: string | null;
    crm_error: string | null;
    synced_at: Date | null;
    created_at: Generated<Date>;
    updated_at: Generated<Date>;
  };
  contact_keys: { tenant: string; key: string; contact_id: string };
  contact_ingests: {
    id: string;
    tenant: string;
    subject: string;
    source: string;
    format: string;
    name: string | null;
    country: string | null;
    columns: string[] | null;
    status: string;
    lines: Generated<number>;
    batches: Generated<number>;
    next_batch: Generated<number>;
    added: Generated<number>;
    merged: Generated<number>;
    unchanged: Generated<number>;
    rejected: Generated<number>;
    idempotency_key: string | null;
    request_hash: string | null;
    created_at: Generated<Date>;
    ended_at: Date | null;
  };
  contact_ingest_batches: { ingest_id: string; number: number; lines: unknown };
  contact_rejects: { ingest_id: string; line: number; reason: string; fields: unknown; created_at: Generated<Date> };
  contact_merges: {
    id: string;
    position: GeneratedAlways<number>;
    tenant: string;
    contact_id: string;
    ingest_id: string;
    line: number;
    reason: string;
    incoming: unknown;
    absorbed_id: string | null;
    absorbed_base: unknown;
    created_at: Generated<Date>;
    undone_at: Date | null;
    parted_id: string | null;
  };
}
