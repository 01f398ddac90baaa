import type { SourceItemTable, SourceTable } from './source-tables.ts';
import type { Generated, GeneratedAlways } from 'kysely';

type Owned = { tenant: string; subject: string };

/** The tables of documents, their search data, and uploads. */
export interface DocumentTables {
  sources: SourceTable;
  source_items: SourceItemTable;
  collections: {
    tenant: string;
    name: string;
    chunk_tokens: number;
    overlap_tokens: number;
    updated_at: Generated<Date>;
  };
  files: { tenant: string; hash: string; bytes: Buffer; created_at: Generated<Date> };
  documents: Owned & {
    id: string;
    name: string;
    title: string;
    media_type: string;
    content_hash: string;
    size_bytes: number;
    text: string;
    characters: number;
    chunk_count: number;
    collection: Generated<string>;
    readers: Generated<string[]>;
    tags: Generated<string[]>;
    language: string | null;
    version: Generated<number>;
    chunk_tokens: Generated<number>;
    overlap_tokens: Generated<number>;
    embedded_by: Generated<string | null>;
    notice: Generated<string | null>;
    origin: Generated<string | null>;
    unread_pictures: Generated<boolean | null>;
    created_at: Generated<Date>;
    updated_at: Generated<Date>;
  };
  chunks: {
    id: string;
    document_id: string;
    ordinal: number;
    heading_path: string[];
    page: number | null;
    text: string;
    start_at: number;
    end_at: number;
    gap: string | null;
    embed_hash: GeneratedAlways<string>;
  };
  embeddings: {
    tenant: string;
    model: string;
    hash: string;
    vector: Buffer;
    sentences: Buffer | null;
    created_at: Generated<Date>;
  };
  group_members: { tenant: string; group_name: string; subject: string };
  document_changes: { seq: Generated<number>; tenant: string; document_id: string; at: Generated<Date> };
  ingestions: Owned & {
    id: string;
    status: string;
    collection: Generated<string>;
    readers: string[] | null;
    tags: string[] | null;
    retry_of: string | null;
    attempt: number | null;
    last_seq: Generated<number>;
    ended_seq: Generated<number | null>;
    origin: Generated<string | null>;
    take_over: Generated<boolean>;
    principal: Generated<unknown>;
    created_at: Generated<Date>;
    ended_at: Date | null;
  };
  ingestion_files: {
    ingestion_id: string;
    ordinal: number;
    name: string;
    media_type: string;
    content_hash: string;
    size_bytes: number;
    state: string;
    document_id: string | null;
    error_code: string | null;
    error_message: string | null;
    kept: Generated<boolean>;
    seq: Generated<number | null>;
    settled_at: Generated<Date | null>;
  };
}
