import type { Generated } from 'kysely';

/** Sources that documents are synced from. See runtime/database/migrations/0008_sources.sql. */
export type SourceTable = {
  id: string;
  tenant: string;
  subject: string;
  kind: string;
  address: string;
  options: Generated<unknown>;
  collection: Generated<string>;
  readers: string[] | null;
  tags: string[] | null;
  schedule: number | null;
  idempotency_key: string | null;
  request_hash: string | null;
  principal: Generated<unknown>;
  sync: Generated<number>;
  listed: Generated<number>;
  sync_run: string | null;
  sync_state: Generated<string>;
  sync_removed: Generated<number>;
  sync_error_code: string | null;
  sync_error_message: string | null;
  sync_requested_at: Generated<Date>;
  sync_started_at: Date | null;
  sync_ended_at: Date | null;
  created_at: Generated<Date>;
  deleted_at: Date | null;
};

/** The items of a source: pages, files, objects. */
export type SourceItemTable = {
  source_id: string;
  name: string;
  address: string;
  etag: string | null;
  last_modified: string | null;
  content_hash: string | null;
  document_id: string | null;
  state: string;
  error_code: string | null;
  error_message: string | null;
  seen_at: Generated<Date>;
};
