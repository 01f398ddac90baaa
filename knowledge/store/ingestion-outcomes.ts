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
 * @param end.isKnown whether its sender knows of it. Of another one no bytes are kept for a retry,
 *   and no callback is called
 * @returns whether the ingestion was running
 */
export async function endIngestion(
  db: Database,
  scope: Scope,
  ingestionId: string,
  end: { status: 'completed' | 'failed' | 'cancelled'; isKnown: boolean },
): Promise<boolean> {
  try {
    await db.transaction().execute((trx) => endRunning(trx, scope, ingestionId, end));
    return true;
  } catch (error) {
    if (error instanceof NotRunning) return false;
    throw error;
  }
}

/** Thrown to undo the transaction. */
class NotRunning extends Error {}

/**
 * Locks the files first and the ingestion after them, as a transaction does that records the outcome of a file: in the
 * other order, each of the two could wait for the other.
 */
async function endRunning(
  trx: Database,
  scope: Scope,
  ingestionId: string,
  { status, isKnown }: Parameters<typeof endIngestion>[3],
): Promise<void> {
  const running = ownedIngestions(trx, scope, ingestionId).where('status', '=', 'running').select('id');
  const pendingFiles = await trx
    .updateTable('ingestion_files')
    .set({ kept: isKnown })
    .where('ingestion_id', 'in', running)
    .where('state', '=', 'pending')
    .returning('content_hash')
    .execute();
  const ended = await trx
    .updateTable('ingestions')
    .set({ status, ended_at: new Date() })
    .where('id', 'in', running)
    .where('status', '=', 'running')
    .returning('id')
    .executeTakeFirst();
  if (!ended) throw new NotRunning();
  if (isKnown) return;
  await removeUnusedFiles(trx, scope.tenant, [...new Set(pendingFiles.map(({ content_hash }) => content_hash))]);
  await trx.deleteFrom('callbacks').where('ingestion_id', '=', ingestionId).execute();
}
