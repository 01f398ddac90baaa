import type { Database } from '../../runtime/database/postgres.ts';
import type { Documents } from '../../contract/ports/index.ts';
import { createIngestion } from './create-ingestion.ts';
import { readFile } from './files.ts';
import { endIngestion, recordFileOutcome } from './ingestion-outcomes.ts';
import { getIngestion, getPlacement, listOpenIngestions, listPendingFiles, pendingSince } from './ingestion-rows.ts';
import { deleteExpiredFiles, retryIngestion } from './retry-ingestion.ts';

type Ingestions = Pick<
  Documents,
  | 'createIngestion'
  | 'retryIngestion'
  | 'deleteExpiredFiles'
  | 'getPlacement'
  | 'getIngestion'
  | 'listPendingFiles'
  | 'pendingSince'
  | 'readFile'
  | 'recordFileOutcome'
  | 'endIngestion'
  | 'listOpenIngestions'
>;

/** Uploads that are being read, or were read. */
export const createIngestions = (db: Database): Ingestions => ({
  createIngestion: (principal, files, placement, callback) =>
    createIngestion(db, principal, files, { placement, callback }),
  retryIngestion: (scope, ingestionId) => retryIngestion(db, scope, ingestionId),
  deleteExpiredFiles: (limit) => deleteExpiredFiles(db, limit),
  getPlacement: (scope, ingestionId) => getPlacement(db, scope, ingestionId),
  getIngestion: (scope, ingestionId) => getIngestion(db, scope, ingestionId),
  listPendingFiles: (scope, ingestionId, limit) => listPendingFiles(db, scope, ingestionId, limit),
  pendingSince: () => pendingSince(db),
  readFile: (scope, hash) => readFile(db, scope, hash),
  recordFileOutcome: (scope, upload, outcome) =>
    db.transaction().execute((trx) => recordFileOutcome(trx, scope, upload, outcome)),
  endIngestion: (scope, ingestionId, status, { isKnown = true } = {}) =>
    endIngestion(db, scope, ingestionId, { status, isKnown }),
  listOpenIngestions: (page) => listOpenIngestions(db, page),
});
