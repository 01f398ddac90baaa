import { sql } from 'kysely';
import type { Placement } from '../../contract/documents.ts';
import { AlfredError } from '../../contract/errors.ts';
import type { SourceRef } from '../../contract/references.ts';
import type { Database } from '../../runtime/database/postgres.ts';

/**
 * Collection, readers and tags of a document. For a source they are read from its row.
 *
 * @param options.lock locks the source's row until the end of the transaction. A change
 *   of the source waits for that, so no document is stored with outdated readers.
 * @throws AlfredError `not_found` when the source was deleted
 */
export async function resolvePlacement(
  db: Database,
  target: Placement | SourceRef,
  { lock = false } = {},
): Promise<Placement> {
  if (!('sourceId' in target)) return target;
  let query = db
    .selectFrom('sources')
    .select(['collection', 'readers', 'tags'])
    .where('id', '=', target.sourceId)
    .where('tenant', '=', target.tenant)
    .where('subject', '=', target.subject);
  if (lock) query = query.modifyEnd(sql`for key share`);
  const row = await query.executeTakeFirst();
  if (!row) throw new AlfredError('not_found', 'The source was removed while it was read.');
  const { collection, readers, tags } = row;
  return { collection, ...(readers ? { readers } : {}), ...(tags ? { tags } : {}) };
}
