import { validate as isUuid } from 'uuid';
import type { Scope } from '../../contract/references.ts';
import type { Database } from '../../runtime/database/postgres.ts';

/** The ingestion with that id, if it is the subject's. */
export const ownedIngestions = (db: Database, { tenant, subject }: Scope, ingestionId: string) =>
  db
    .selectFrom('ingestions')
    .where('id', '=', isUuid(ingestionId) ? ingestionId : null)
    .where('tenant', '=', tenant)
    .where('subject', '=', subject);
