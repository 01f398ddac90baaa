import type { Artifact } from '../../../contract/artifacts.ts';

export type ArtifactRow = {
  id: string;
  task_id: string;
  name: string;
  media_type: string;
  content_hash: string;
  size_bytes: number;
  /** A text from JSON. */
  created_at: Date | string;
};

export const toArtifact = (row: ArtifactRow): Artifact => ({
  id: row.id,
  taskId: row.task_id,
  name: row.name,
  mediaType: row.media_type as Artifact['mediaType'],
  bytes: row.size_bytes,
  sha256: Buffer.from(row.content_hash, 'base64url').toString('hex'),
  createdAt: new Date(row.created_at).toISOString(),
});
