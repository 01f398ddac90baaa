import type { Scope } from '../../contract/references.ts';
import type { Database } from '../../runtime/database/postgres.ts';
import type { FileOutcome, UploadRef } from '../../contract/ports/index.ts';
import { removeUnusedFiles } from './files.ts';
import { ownedIngestions } from './ingestion-rows.ts';

/** Records what became of an uploaded file, inside the caller's transaction. The first outcome counts. */
export async function recordFileOutcome(
  trx: Database,
  scope: Scope,
  { ingestionId, ordinal }: UploadRef,
  outcome: FileOutcome,
): Promise<void> {
  const isFailed = outcome.state === 'failed';
  const recorded = await trx
    .updateTable('ingestion_files')
    .set({
      state: outcome.state,
      document_id: isFailed ? null : outcome.documentId,
      error_code: isFailed ? outcome.code : null,
      error_message: isFailed ? outcome.message : null,
      kept: isFailed,
    })
    .where('ingestion_id', 'in', ownedIngestions(trx, scope, ingestionId).select('id'))
    .where('ordinal', '=', ordinal)
    .where('state', '=', 'pending')
    .returning('content_hash')
    .executeTakeFirst();
  // An added or replaced document uses the bytes, and a failed
  // file may be retried. Only unchanged ones may be unused now.
  if (recorded && outcome.state === 'unchanged') await removeUnusedFiles(trx, scope.tenant, [recorded.content_hash]);
}

/**
 * Ends a running ingestion. The first end counts.
 *
 * @param end.keepFiles whether the bytes of files that are still pending are kept for a retry
 * @returns whether the ingestion was running
 */
export const endIngestion = (
  db: Database,
  scope: Scope,
  ingestionId: string,
  { status, keepFiles }: { status: 'completed' | 'failed' | 'cancelled'; keepFiles: boolean },
): Promise<boolean> =>
  db.transaction().execute(async (trx) => {
    const ended = await trx
      .updateTable('ingestions')
      .set({ status, ended_at: new Date() })
      .where('id', 'in', ownedIngestions(trx, scope, ingestionId).select('id'))
      .where('status', '=', 'running')
      .returning('id')
      .executeTakeFirst();
    if (!ended) return false;
    const pendingFiles = await trx
      .updateTable('ingestion_files')
      .set({ kept: keepFiles })
      .where('ingestion_id', '=', ingestionId)
      .where('state', '=', 'pending')
      .returning('content_hash')
      .execute();
    if (!keepFiles)
      await removeUnusedFiles(trx, scope.tenant, [...new Set(pendingFiles.map(({ content_hash }) => content_hash))]);
    return true;
  });
