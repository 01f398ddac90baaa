import { createHash } from 'node:crypto';
import type { Pool } from 'pg';
import { v7 as newId } from 'uuid';

type Stored = { id?: string; name?: string; mediaType?: string; content?: string };

/** Stores a file of a task, as its tool call would have. @returns its id */
export async function putArtifact(
  pool: Pick<Pool, 'query'>,
  { taskId, tenant, subject }: { taskId: string; tenant: string; subject: string },
  { id = newId(), name = 'sums.csv', mediaType = 'text/csv', content = 'a,b\n1,2\n' }: Stored = {},
): Promise<string> {
  const bytes = Buffer.from(content);
  const hash = createHash('sha256').update(bytes).digest('base64url');
  await pool.query(
    `insert into contents (tenant, subject, hash, bytes) values ($1, $2, $3, $4) on conflict do nothing`,
    [tenant, subject, hash, bytes],
  );
  await pool.query(
    `insert into artifacts (id, task_id, step, call_id, ordinal, name, media_type, content_hash, size_bytes)
     values ($1, $2, 1, $7, 0, $3, $4, $5, $6)`,
    [id, taskId, name, mediaType, hash, bytes.length, id],
  );
  return id;
}
