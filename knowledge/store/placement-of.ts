import { sql } from 'kysely';
import type { Placement } from '../../contract/documents.ts';
import { AlfredError } from '../../contract/errors.ts';
import type { SourceRef } from '../../contract/references.ts';
import type { Database } from '../../runtime/database/postgres.ts';

/**
 * Where a document goes. What a source says is read anew each time.
 *
 * @param lock inside a transaction: a change of the source waits for its end, so that no document is placed, let alone shown
 *   to somebody, as the source said before
 * @throws AlfredError `not_found` when the source is there no more
 */
export async function placementOf(
  db: Database,
  where: Placement | SourceRef,
  { lock = false } = {},
): Promise<Placement> {
  if (!('sourceId' in where)) return where;
  let query = db
    .selectFrom('sources')
    .select(['collection', 'readers', 'tags'])
    .where('id', '=', where.sourceId)
    .where('tenant', '=', where.tenant)
    .where('subject', '=', where.subject);
  if (lock) query = query.modifyEnd(sql`for key share`);
  const row = await query.executeTakeFirst();
  if (!row) throw new AlfredError('not_found', 'The source was removed while it was read.');
  const { collection, readers, tags } = row;
  return { collection, ...(readers ? { readers } : {}), ...(tags ? { tags } : {}) };
}
