import type { Generated } from 'kysely';

/** The tables of the audit log. They must match the schema that runtime/database/migrations/ creates. */
export interface AuditTables {
  audit_entries: AuditEntryRow;
  audit_head: {
    is_only: Generated<boolean>;
    seq: number;
    hash: Buffer;
    base_seq: number;
    base_hash: Buffer;
    key_id: string | null;
    mac: Buffer | null;
  };
  audit_pending: AuditPendingRow;
  audit_checkpoints: { seq: number; hash: Buffer; at: Date; key_id: string; mac: Buffer };
}

/** What a worker has done, before the API takes it into the log. */
export type AuditPendingRow = {
  id: Generated<string>;
  at: Generated<Date>;
  tenant: string;
  subject: string;
  via: string;
  action: string;
  resource_type: string;
  resource_id: string;
  outcome: string;
  code: string | null;
  client: string | null;
};

export type AuditEntryRow = {
  seq: number;
  at: Date;
  tenant: string;
  subject: string;
  kind: string | null;
  via: string | null;
  action: string;
  resource_type: string | null;
  resource_id: string | null;
  outcome: string;
  code: string | null;
  count: number;
  request_id: string | null;
  address: string | null;
  country: string | null;
  client: string | null;
  key_id: string;
  previous: Buffer;
  hash: Buffer;
};
