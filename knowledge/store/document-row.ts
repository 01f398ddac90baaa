import type { Selectable } from 'kysely';
import type { Document } from '../../contract/documents.ts';
import type { Tables } from '../../runtime/database/tables.ts';

/** The columns of a document's description. The text is left out, because it can be long. */
export const documentColumns = [
  'id',
  'name',
  'title',
  'media_type',
  'notice',
  'content_hash',
  'size_bytes',
  'characters',
  'chunk_count',
  'collection',
  'readers',
  'subject',
  'origin',
  'tags',
  'language',
  'version',
  'created_at',
  'updated_at',
] as const satisfies (keyof Tables['documents'])[];

type Row = Pick<Selectable<Tables['documents']>, (typeof documentColumns)[number]>;

export const documentOf = (row: Row): Document => ({
  id: row.id,
  name: row.name,
  title: row.title,
  mediaType: row.media_type,
  notice: row.notice,
  contentHash: row.content_hash,
  sizeBytes: row.size_bytes,
  characters: row.characters,
  chunks: row.chunk_count,
  collection: row.collection,
  readers: row.readers,
  owner: row.subject,
  origin: row.origin,
  tags: row.tags,
  language: row.language,
  version: row.version,
  createdAt: row.created_at.toISOString(),
  updatedAt: row.updated_at.toISOString(),
});
