import { sql, type RawBuilder } from 'kysely';
import { validate as isUuid } from 'uuid';
import { AlfredError } from '../../../contract/errors.ts';
import type { Artifacts } from '../../../contract/ports/index.ts';
import type { Scope } from '../../../contract/references.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import { toArtifact, type ArtifactRow } from './artifact-row.ts';

/** How much of a file is in memory at once while it is handed out. */
const sliceBytes = 4_000_000;

/** The ids of task `t` and of those below it whose content is there. Most tasks have no child. */
export const withTasksBelow = sql<string>`
  select t.id where t.erased_at is null
  union all
  select d.id from tasks d
  where t.erased_at is null and exists (select from tasks c where c.parent_id = t.id)
    and d.parent_id is not null and d.ancestors @> array[t.id] and d.erased_at is null`;

export const createArtifacts = (db: Database): Artifacts => ({
  async list(owner, taskId) {
    if (!isUuid(taskId)) return [];
    return (await selectArtifacts(db, owner, taskId)).map(toArtifact);
  },

  async open(owner, taskId, artifactId) {
    if (!isUuid(taskId) || !isUuid(artifactId)) return undefined;
    const [row] = await selectArtifacts(db, owner, taskId, sql`a.id = ${artifactId}::uuid`);
    return row && { artifact: toArtifact(row), content: readContent(db, owner, row) };
  },
});

async function selectArtifacts(
  db: Database,
  { tenant, subject }: Scope,
  taskId: string,
  condition: RawBuilder<unknown> = sql`true`,
): Promise<ArtifactRow[]> {
  const { rows } = await sql<ArtifactRow>`
    select a.id, a.task_id, a.name, a.media_type, a.content_hash, a.size_bytes, a.created_at
    from tasks t cross join lateral (${withTasksBelow}) made (task_id) join artifacts a on a.task_id = made.task_id
    where t.id = ${taskId}::uuid and t.tenant = ${tenant} and t.subject = ${subject} and ${condition}
    order by a.created_at, a.task_id, a.step, a.call_id, a.ordinal`.execute(db);
  return rows;
}

/** @throws AlfredError `not_found` when the file is deleted meanwhile */
async function* readContent(db: Database, { tenant, subject }: Scope, row: ArtifactRow): AsyncGenerator<Buffer> {
  for (let start = 0; start < row.size_bytes; start += sliceBytes) {
    const { rows } = await sql<{ slice: Buffer }>`
      select substring(bytes from ${start + 1}::int for ${sliceBytes}::int) as slice from contents
      where tenant = ${tenant} and subject = ${subject} and hash = ${row.content_hash}`.execute(db);
    if (!rows[0]) throw new AlfredError('not_found', `The file ${row.id} was deleted while it was read.`);
    yield rows[0].slice;
  }
}
